import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("package", ["trainer", "components", "pipeline", "kubeflow", "command_line"])
def test_what_is_set_for_other_programs_does_not_choose_our_keras(package: str):
    code = f"import os, sys, fullbake.{package}; print(os.environ['TF_USE_LEGACY_KERAS'], os.environ['KERAS_BACKEND'])"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; assert 'tensorflow' not in sys.modules"],
        env={**os.environ, "TF_USE_LEGACY_KERAS": "0", "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "1 tensorflow\n"

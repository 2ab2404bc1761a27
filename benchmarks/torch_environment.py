"""An environment with PyTorch, beside the project's own, which has none: made once, about 5 GB with PyPI's CUDA build.

`python -m benchmarks.torch_environment` makes it.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

ENVIRONMENT = Path(__file__).parent / ".torch"
REQUIREMENTS = Path(__file__).with_name("torch-requirements.txt")


def python_of(environment: Path) -> Path:
    """The Python of an environment."""
    return environment / "bin/python"


def torch_python() -> Path:
    """The Python of the environment with PyTorch, which is made on first use."""
    python = python_of(ENVIRONMENT)
    if not (ENVIRONMENT / ".complete").exists():
        root = Path(__file__).parents[1]
        make = ["sh", "tools/uv.sh", "venv", "--quiet", "--clear", "--seed", "--python", "3.11", ENVIRONMENT]
        subprocess.run(make, cwd=root, check=True)
        # pip, not uv: it takes a CPU build of PyTorch where the machine's settings offer one.
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--requirement", REQUIREMENTS], check=True)
        (ENVIRONMENT / ".complete").touch()
    return python


if __name__ == "__main__":
    torch_python()

"""What a type checker sees of `import fullbake` in a program of a user's."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
from pathlib import Path

import fullbake

result = fullbake.run({"name": "small"}, root=Path("out"), overrides={"training.epochs": 1})
reveal_type(result.model)
reveal_type(result.missed_bounds[0].metric)
reveal_type(fullbake.load("out").predict(["a text"])[0].probabilities)
judgement = fullbake.evaluate(Path("out"), "new.csv", min_recall={"rude": 0.5}, output=Path("judged"))
reveal_type(judgement.passed)
reveal_type(judgement.bounds[0].metric)
try:
    fullbake.run(3)
except fullbake.InputError as error:
    reveal_type(error.field)
"""


def test_a_type_checker_knows_what_the_functions_take_and_return(tmp_path: Path):
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file=", "--follow-imports=silent", "program.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "MYPYPATH": str(Path(__file__).parents[1])},
    )
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert len(errors) == 1, done.stdout + done.stderr
    assert 'Argument 1 to "run" has incompatible type "int"' in errors[0]
    revealed = [line.split('"')[1] for line in done.stdout.splitlines() if "Revealed type" in line]
    assert [kind.replace("Union[str, None]", "str | None") for kind in revealed] == [
        "str | None",
        "str",
        "typing.Mapping[str, float]",
        "bool",
        "str",
        "str | None",
    ]

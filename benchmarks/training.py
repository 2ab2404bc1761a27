"""Training with a trainable base: rows a second, against the padded way and against PyTorch."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

from benchmarks import texts
from benchmarks.ours import rows_per_second
from benchmarks.padded_keras import PaddedKeras
from benchmarks.results import Result, side_by_side
from benchmarks.torch_environment import torch_python

TRIAL_STEPS = 2  # the first warms up
TORCH_SCRIPT = Path(__file__).with_name("torch_trainer.py")


def main() -> None:
    """Measures tweets and comments."""
    python = torch_python()
    for (name, found), least in ((texts.tweets(480), 20), (texts.comments(160), 6)):
        split = texts.tokenized(found)
        # Two steps of the padded way take as long as dozens of ours.
        padded = PaddedKeras(found[:32])
        precision = faster_torch_precision(python, found)
        ours, keras, pytorch = side_by_side(
            lambda split=split: rows_per_second(split),
            padded.rows_per_second,
            lambda found=found, precision=precision: torch_rows_per_second(python, found, precision),
        )
        figures = f"{ours:.1f} and {keras:.2f} rows/s"
        Result(f"training v. padded Keras, {name}", ours / keras, "x", least, figures).print()
        figures = f"{ours:.1f} and {pytorch:.1f} rows/s ({precision})"
        Result(f"training v. PyTorch's Trainer, {name}", ours / pytorch, "x", 1.5, figures).print()


def faster_torch_precision(python: Path, found: list[str]) -> str:
    """The precision in which PyTorch trains faster here, by a few steps in each."""
    return max(
        ("float32", "bfloat16"), key=lambda precision: torch_rows_per_second(python, found, precision, TRIAL_STEPS)
    )


def torch_rows_per_second(python: Path, found: list[str], precision: str, steps: int = 0) -> float:
    """Rows a second of the PyTorch Trainer, in a process of its own.

    Args:
        python: Of the environment with PyTorch.
        found: The texts.
        precision: `float32` or `bfloat16`.
        steps: How many are trained; 0: whole epochs.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    base = texts.resolve_base(texts.BASE)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "texts.json")
        file.write_text(json.dumps(found), encoding="utf-8")
        command = [python, TORCH_SCRIPT, file, base, str(len(texts.LABELS)), folder, precision, str(steps)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return float(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()

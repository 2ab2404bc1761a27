"""A whole run of 600 rows with a frozen base, from the CSV to the pushed model, by the command that people use."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from benchmarks import texts
from benchmarks.results import Result, seconds, side_by_side

ROWS = 600
FULLBAKE = Path(sys.executable).with_name("fullbake")


def main() -> None:
    """Measures the run, each time in a new output root."""
    _, found = texts.comments(ROWS)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "data").mkdir()
        with (folder / "data/rows.csv").open("w", encoding="utf-8", newline="") as stream:
            rows = ((text, texts.LABELS[number % len(texts.LABELS)]) for number, text in enumerate(found))
            csv.writer(stream).writerows([("text", "label"), *rows])
        config = {
            "name": "whole-run",
            "data": {"input_base": str(folder / "data"), "labels": list(texts.LABELS)},
            "model": {"base": texts.BASE, "approach": "frozen", "max_length": 128},
            "gate": {"min_recall": dict.fromkeys(texts.LABELS, 0.0)},  # the labels are drawn at random
        }
        (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        summary = folder / "summary.json"

        def run() -> None:
            with tempfile.TemporaryDirectory(dir=folder) as root:
                command = [FULLBAKE, "run", folder / "config.yaml", "--root", root, "--summary", summary]
                subprocess.run(command, check=True, capture_output=True)

        (took,) = side_by_side(lambda: seconds(run), repeats=2)
        spent = json.loads(summary.read_text(encoding="utf-8"))["seconds"]
    most = sorted(spent.items(), key=lambda item: -item[1])
    figures = ", ".join(f"{name} {value:.1f}" for name, value in most if value >= 1)
    Result(f"a run of {ROWS} rows, frozen", took, "s", 75, figures, at_most=True).print()


if __name__ == "__main__":
    main()

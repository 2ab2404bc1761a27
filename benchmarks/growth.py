"""From a CSV to tokenized examples (CsvExampleGen, StatisticsGen, Transform) as the rows grow."""

from __future__ import annotations

import csv
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline

from benchmarks import texts
from benchmarks.results import Result, seconds
from fullbake.pipeline.beam_engine import beam_engine
from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.graph import create_components, input_locations
from fullbake.pipeline.outline import Places
from fullbake.trainer.encoder.base_model import resolve_base
from fullbake.trainer.locations import located

SIZES = (1_000, 10_000, 100_000, 1_000_000)
CHUNK = 50_000  # rows that are generated at once


def main() -> None:
    """Measures each size in a process of its own."""
    if len(sys.argv) > 1:
        run(Path(sys.argv[1]))
        return
    found = {}
    for rows in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            write_rows(Path(folder, "data"), rows)
            command = [sys.executable, "-W", "ignore", "-m", "benchmarks.growth", folder]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found[rows] = json.loads(done.stdout.splitlines()[-1])
        print(f"{rows:,} rows: {found[rows]}", file=sys.stderr, flush=True)
    figures = ", ".join(f"{rows:,} rows {took['seconds']:.0f} s {took['gb']:.2f} GB" for rows, took in found.items())
    large, hundred = found[SIZES[-1]], found[SIZES[-2]]
    Result("CSV to tokens, 1M rows, peak memory", large["gb"], "GB", 4, figures, at_most=True).print()
    ratio = large["seconds"] / hundred["seconds"]
    Result("CSV to tokens, time of 1M ÷ 100k rows", ratio, "x", 11, figures, at_most=True).print()


def write_rows(folder: Path, rows: int) -> None:
    """Writes a CSV of generated comments."""
    folder.mkdir()
    with Path(folder, "rows.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "label"])
        for start in range(0, rows, CHUNK):
            _, found = texts.comments(min(CHUNK, rows - start), seed=start)
            writer.writerows((text, texts.LABELS[number % len(texts.LABELS)]) for number, text in enumerate(found))


def run(folder: Path) -> None:
    """Runs the components, and prints seconds and peak memory as JSON."""
    config = {
        "name": "growth",
        "data": {"input_base": str(folder / "data"), "labels": list(texts.LABELS)},
        "model": {"base": texts.BASE, "max_length": 128},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    places = Places(str(folder / "out"), str(folder / "serving"), None, None)
    loaded = load_config(folder / "config.yaml", ())
    components = create_components(loaded, places, "")
    (last,) = [number for number, component in enumerate(components) if component.id == "Transform"]
    with beam_engine([]) as beam_args, located(input_locations(loaded, resolve_base(texts.BASE))):
        pipeline = Pipeline(
            "growth",
            str(folder / "out"),
            sqlite_metadata_connection_config(str(folder / "metadata.sqlite")),
            components[: last + 1],
            beam_pipeline_args=beam_args,
        )
        took = seconds(lambda: LocalDagRunner().run(pipeline))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"seconds": took, "gb": peak}))


if __name__ == "__main__":
    main()

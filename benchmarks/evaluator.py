"""What the Evaluator takes over plain prediction: the same 10,000 rows through the same serving graph."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import tensorflow as tf
from google.protobuf import text_format
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import artifact, artifact_utils, standard_artifacts

from benchmarks import texts
from benchmarks.results import Result, seconds, side_by_side
from benchmarks.serving import serving_model
from fullbake.components.evaluation.gate import GateSpec
from fullbake.components.nodes.config_schema import SCHEMA_FILE, make_schema
from fullbake.components.nodes.evaluator import EvaluatorExecutor
from fullbake.pipeline.beam_engine import beam_engine
from fullbake.trainer.devices.allocator import keep_freed_memory

ROWS = 10_000
CALL = 2000  # rows of plain prediction in one call


def main() -> None:
    """Measures tweets."""
    name, found = texts.tweets(ROWS)
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as temporary, beam_engine([]) as beam_args:
        folder = Path(temporary)
        model = _artifact(standard_artifacts.Model, folder / "model")
        serving = serving_model(folder / "transform")
        tf.saved_model.save(serving, str(folder / "model/Format-Serving"), signatures=serving.signatures())
        examples = _artifact(standard_artifacts.Examples, folder / "examples")
        examples.split_names = artifact_utils.encode_split_names(["test"])
        _write_examples(found, folder / "examples/Split-test")
        schema = _artifact(standard_artifacts.Schema, folder / "schema")
        written = text_format.MessageToString(make_schema(list(texts.LABELS), text_pair=False))
        (folder / "schema" / SCHEMA_FILE).write_text(written, encoding="utf-8")
        plain = tf.saved_model.load(str(folder / "model/Format-Serving")).signatures["serving_default"]
        raw = tf.constant(found)

        def predict() -> None:
            for start in range(0, len(found), CALL):
                plain(text=raw[start : start + CALL])["probabilities"].numpy()

        def evaluate() -> None:
            with tempfile.TemporaryDirectory(dir=folder) as own:
                outputs = {
                    "evaluation": [_artifact(standard_artifacts.ModelEvaluation, Path(own, "evaluation"))],
                    "blessing": [_artifact(standard_artifacts.ModelBlessing, Path(own, "blessing"))],
                }
                settings = {"gate": json.dumps(asdict(GateSpec(texts.LABELS))), "serving_dir": own, "baseline_key": ""}
                context = BaseBeamExecutor.Context(beam_pipeline_args=list(beam_args), tmp_dir=own, unique_id="1")
                inputs = {"examples": [examples], "schema": [schema], "model": [model]}
                EvaluatorExecutor(context).Do(inputs, outputs, settings)

        evaluated, predicted = side_by_side(lambda: seconds(evaluate), lambda: seconds(predict), repeats=2)
    figures = f"{evaluated:.1f} and {predicted:.1f} s for {ROWS:,} rows"
    Result(f"Evaluator ÷ plain prediction, {name}", evaluated / predicted, "x", 1.5, figures, at_most=True).print()


def _artifact(kind: type[artifact.Artifact], folder: Path) -> artifact.Artifact:
    made = kind()
    made.uri = str(folder)
    made.id = 1
    folder.mkdir(parents=True, exist_ok=True)
    return made


def _write_examples(found: list[str], folder: Path) -> None:
    folder.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(folder / "data.gz"), "GZIP") as writer:
        for number, text in enumerate(found):
            values = {"text": text, "label": texts.LABELS[number % len(texts.LABELS)]}
            feature = {
                key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))
                for key, value in values.items()
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())


if __name__ == "__main__":
    main()

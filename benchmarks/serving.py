"""The serving signature, 2,000 mixed rows in one call, against the padded way; and the memory it takes."""

from __future__ import annotations

import resource
import tempfile
from pathlib import Path

import apache_beam as beam
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform import beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata

from benchmarks import texts
from benchmarks.padded_keras import PaddedKeras
from benchmarks.results import Result, seconds, side_by_side
from fullbake.components.nodes.config_schema import make_schema
from fullbake.components.nodes.preprocessing import preprocessing_fn
from fullbake.trainer.devices.allocator import keep_freed_memory
from fullbake.trainer.encoder.base_model import resolve_base
from fullbake.trainer.export import ServingModel
from fullbake.trainer.models.classifier import Classifier

ROWS = 2000
PADDED_ROWS = 32  # of the padded way in one call: all 2,000 at once need 100 GB for the attention scores alone


def main() -> None:
    """Measures tweets and comments."""
    with tempfile.TemporaryDirectory() as folder:
        serve = serving_model(Path(folder)).signatures()["serving_default"]
    keep_freed_memory()
    measured = []
    for (name, found), least in ((texts.tweets(ROWS), 10), (texts.comments(ROWS), 5)):
        raw = tf.constant(found)
        serve(raw)
        # In kilobytes; what TensorFlow takes by itself is a quarter of it.
        measured.append((name, found, least, raw, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20))
    for name, found, least, raw, memory in measured:
        Result(
            f"serving, peak memory of the process, {name}", memory, "GB", 2, f"{ROWS:,} rows in one call", True
        ).print()
        padded = PaddedKeras(found[: 2 * PADDED_ROWS])
        ours, keras = side_by_side(
            lambda raw=raw: ROWS / seconds(lambda: serve(raw)["probabilities"].numpy()),
            lambda padded=padded: padded.predicted_rows_per_second(PADDED_ROWS),
            repeats=2,
        )
        figures = f"{ours:.1f} and {keras:.2f} rows/s, from text to probabilities"
        Result(f"serving v. padded Keras, {name}", ours / keras, "x", least, figures).print()


def serving_model(folder: Path) -> ServingModel:
    """MiniLM with a head of random weights, as it is exported."""
    config = {"base": texts.BASE, "revision": None, "labels": list(texts.LABELS), "max_length": texts.MAX_LENGTH}
    config["truncation"] = "head"
    metadata = dataset_metadata.DatasetMetadata(make_schema(list(texts.LABELS), text_pair=False))
    rows = [{"text": [b"any"], "label": [texts.LABELS[0].encode()]}]
    with beam.Pipeline() as pipeline, tft_beam.Context(temp_dir=str(folder / "tmp")):
        dataset = (pipeline | beam.Create(rows), metadata)
        transform_fn = dataset | tft_beam.AnalyzeDataset(lambda inputs: preprocessing_fn(inputs, config))
        _ = transform_fn | tft_beam.WriteTransformFn(str(folder))
        _ = metadata | tft_beam.WriteMetadata(str(folder / tft.TFTransformOutput.RAW_METADATA_DIR), pipeline)
    classifier = Classifier.from_base(resolve_base(texts.BASE), "linear", texts.LABELS)
    return ServingModel(classifier, tft.TFTransformOutput(str(folder)), texts.LABELS)


if __name__ == "__main__":
    main()

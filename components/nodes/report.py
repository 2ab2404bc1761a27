"""The Report component: gathers what a run found into one page for people."""

import datetime
import importlib.metadata
import json
import os
import platform
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import artifact, artifact_utils, standard_artifacts
from tfx.utils import io_utils

from fullbake.components.nodes.evaluator import EVALUATION_FILE
from fullbake.components.report.page import Report as Page
from fullbake.components.report.page import render
from fullbake.components.tokenizer.bert_tokenizer import BertTokenizer
from fullbake.contract.names import INGEST_FILE, PRETRAINING_FILE, TRAINING_FILE, TUNER_RESULTS_FILE
from fullbake.trainer.encoder.base_model import base_label, open_base

REPORT_FILE = "report.html"
PARTS_FILE = "report.json"

# What decides a run's outcome, by the names packages are installed under.
LIBRARIES = (
    "fullbake",
    "tfx",
    "tensorflow",
    "tf-keras",
    "tensorflow-text",
    "tensorflow-transform",
    "apache-beam",
    "transformers",
)
_COUNT_ROWS = 4096


class RunReport(artifact.Artifact):
    """A folder with `report.html` and, in `report.json`, what `Report.from_parts` made it from."""

    TYPE_NAME = "RunReport"


@component
def Report(  # noqa: N802 (a component's name)
    examples: InputArtifact[standard_artifacts.Examples],
    model_run: InputArtifact[standard_artifacts.ModelRun],
    evaluation: InputArtifact[standard_artifacts.ModelEvaluation],
    report: OutputArtifact[RunReport],
    title: Parameter[str],
    config: Parameter[str],
    tokenizer: Parameter[str],
    # TFX reads these as optional by their default; it takes no Optional[...].
    pretraining_run: InputArtifact[standard_artifacts.ModelRun] = None,
    tuner_results: InputArtifact[standard_artifacts.TunerResults] = None,
) -> None:
    """Writes the report of a run, whether its model was blessed or refused.

    Args:
        examples: The raw examples, with `ingest.json`.
        model_run: The Trainer's logs, with `training.json`.
        evaluation: The Evaluator's results, with `evaluation.json`.
        report: Where the page goes.
        title: What the run is called.
        config: The config as YAML, shown as it is.
        tokenizer: JSON with `base`, `revision`, `base_hash` and `max_length`.
        pretraining_run: The Pretrainer's logs, with `pretraining.json`; None where there was no further pre-training.
        tuner_results: The Tuner's results, with `tuner_results.json`; None where there was no search.
    """
    settings = json.loads(tokenizer)
    parts = {
        "title": title,
        "run": os.path.basename(os.path.normpath(report.uri)),
        "created": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "base": base_label(settings["base"]),
        "evaluation": _read(evaluation.uri, EVALUATION_FILE),
        "pretraining": _read(pretraining_run.uri, PRETRAINING_FILE) if pretraining_run else None,
        "tuning": _read(tuner_results.uri, TUNER_RESULTS_FILE) if tuner_results else None,
        "training": _read(model_run.uri, TRAINING_FILE),
        "ingest": _read(examples.uri, INGEST_FILE),
        "lengths": count_lengths(artifact_utils.get_split_uri([examples], "train"), settings),
        "config": config,
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in LIBRARIES},
        },
    }
    io_utils.write_string_file(os.path.join(report.uri, PARTS_FILE), json.dumps(parts))
    io_utils.write_string_file(os.path.join(report.uri, REPORT_FILE), render(Page.from_parts(**parts)))


def count_lengths(folder: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Counts the texts of a split by their length in tokens, before anything is cut.

    Args:
        folder: gzip-compressed TFRecords of `tf.Example` with `text` and maybe `text_pair`.
        settings: `base`, `revision` and `base_hash` (as `trainer.encoder.base_model.open_base` takes them), and
            `max_length`.

    Returns:
        `max_length`; `counts`, the number of texts of 0, 1, ... tokens, special tokens included, the last of all that
        have more than `max_length`; `truncated`, how many that are; `rows`.
    """
    max_length: int = settings["max_length"]
    base: Path = open_base(settings["base"], settings["revision"], settings.get("base_hash"))
    tokenize = BertTokenizer.from_folder(base, max_length=max_length).wordpiece.tokenize
    spec = {
        "text": tf.io.FixedLenFeature([], tf.string),
        "text_pair": tf.io.RaggedFeature(tf.string, row_splits_dtype=tf.int64),
    }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def lengths_of(serialized: tf.Tensor) -> tf.Tensor:
        rows = tf.io.parse_example(serialized, spec)
        pairs = rows["text_pair"]
        first = tokenize(rows["text"], first=max_length).row_lengths()
        second = tokenize(tf.strings.reduce_join(pairs, axis=1), first=max_length).row_lengths()
        # [CLS] and [SEP], and one more [SEP] after a second text, even one of no tokens.
        return first + second + 2 + pairs.row_lengths()

    counts = np.zeros(max_length + 2, np.int64)
    files = tf.io.gfile.glob(os.path.join(folder, "*"))
    for serialized in tf.data.TFRecordDataset(files, compression_type="GZIP").batch(_COUNT_ROWS):
        lengths = np.minimum(lengths_of(serialized).numpy(), max_length + 1)
        counts += np.bincount(lengths, minlength=len(counts))
    return {
        "max_length": max_length,
        "counts": counts.tolist(),
        "truncated": int(counts[-1]),
        "rows": int(counts.sum()),
    }


def _read(uri: str, name: str) -> Any:
    with fileio.open(os.path.join(uri, name)) as file:
        return json.load(file)

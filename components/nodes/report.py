"""The Report component: gathers what a run found into one page for people."""

import datetime
import importlib.metadata
import json
import os
import platform

import numpy as np
import tensorflow as tf
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import artifact, artifact_utils, standard_artifacts
from tfx.utils import io_utils

from fullbake.components.report.page import render
from fullbake.components.tokenizer.bert_tokenizer import BertTokenizer
from fullbake.components.tokenizer.tokenizer_spec import TokenizerSpec
from fullbake.contract import names
from fullbake.contract.results.evaluation import Evaluation
from fullbake.contract.results.ingest import Ingest
from fullbake.contract.results.pretraining import Pretraining
from fullbake.contract.results.report import Lengths
from fullbake.contract.results.report import Report as Parts
from fullbake.contract.results.training import Training
from fullbake.contract.results.tuning import read_tuner_results
from fullbake.trainer.encoder.base_model import base_label, open_base

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
    """A folder with `report.html` and, in `report.json`, what it was made from (see `contract.results.report`)."""

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
        tokenizer: A `TokenizerSpec` as JSON.
        pretraining_run: The Pretrainer's logs, with `pretraining.json`; None where there was no further pre-training.
        tuner_results: The Tuner's results, with `tuner_results.json`; None where there was no search.
    """
    spec = TokenizerSpec.from_dict(json.loads(tokenizer))
    pretraining, tuning = None, None
    if pretraining_run:
        pretraining = Pretraining.from_json(_read(pretraining_run.uri, names.PRETRAINING_FILE))
    if tuner_results:
        tuning = read_tuner_results(_read(tuner_results.uri, names.TUNER_RESULTS_FILE))
    parts = Parts(
        title=title,
        run=os.path.basename(os.path.normpath(report.uri)),
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        base=base_label(spec.base),
        evaluation=Evaluation.from_json(_read(evaluation.uri, names.EVALUATION_FILE)),
        pretraining=pretraining,
        tuning=tuning,
        training=Training.from_json(_read(model_run.uri, names.TRAINING_FILE)),
        ingest=Ingest.from_json(_read(examples.uri, names.INGEST_FILE)),
        lengths=count_lengths(artifact_utils.get_split_uri([examples], names.TRAIN_SPLIT), spec),
        config=config,
        versions={
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in LIBRARIES},
        },
    )
    io_utils.write_string_file(os.path.join(report.uri, names.REPORT_PARTS_FILE), parts.to_json())
    io_utils.write_string_file(os.path.join(report.uri, names.REPORT_FILE), render(parts))


def count_lengths(folder: str, tokenizer: TokenizerSpec) -> Lengths:
    """Counts the texts of a split by their length in tokens, before anything is cut.

    Args:
        folder: gzip-compressed TFRecords of `tf.Example` with `text` and maybe `text_pair`.
        tokenizer: How they are tokenized, and how long they may be.
    """
    max_length = tokenizer.max_length
    base = open_base(tokenizer.base, tokenizer.revision, tokenizer.base_hash)
    tokenize = BertTokenizer.from_folder(base, max_length=max_length).wordpiece.tokenize
    spec = {
        names.TEXT: tf.io.FixedLenFeature([], tf.string),
        names.TEXT_PAIR: tf.io.RaggedFeature(tf.string, row_splits_dtype=tf.int64),
    }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def lengths_of(serialized: tf.Tensor) -> tf.Tensor:
        rows = tf.io.parse_example(serialized, spec)
        pairs = rows[names.TEXT_PAIR]
        first = tokenize(rows[names.TEXT], first=max_length).row_lengths()
        second = tokenize(tf.strings.reduce_join(pairs, axis=1), first=max_length).row_lengths()
        # [CLS] and [SEP], and one more [SEP] after a second text, even one of no tokens.
        return first + second + 2 + pairs.row_lengths()

    counts = np.zeros(max_length + 2, np.int64)
    files = tf.io.gfile.glob(os.path.join(folder, "*"))
    for serialized in tf.data.TFRecordDataset(files, compression_type="GZIP").batch(_COUNT_ROWS):
        lengths = np.minimum(lengths_of(serialized).numpy(), max_length + 1)
        counts += np.bincount(lengths, minlength=len(counts))
    return Lengths(max_length=max_length, counts=counts.tolist(), truncated=int(counts[-1]), rows=int(counts.sum()))


def _read(uri: str, name: str) -> str:
    with fileio.open(os.path.join(uri, name)) as file:
        return str(file.read())

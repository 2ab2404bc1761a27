"""The Report component: gathers what a run found into one page for people."""

import datetime
import importlib.metadata
import json
import os
import platform

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import artifact, artifact_utils, standard_artifacts
from tfx.utils import io_utils

from fullbake.components.report.page import render
from fullbake.components.tokenizer.split_tokens import SplitCounter
from fullbake.components.tokenizer.tokenizer_spec import TokenizerSpec
from fullbake.components.tokenizer.vocabulary_fit import cut_note, vocabulary_note
from fullbake.contract import names
from fullbake.contract.progress import tell
from fullbake.contract.results.evaluation import Evaluation
from fullbake.contract.results.ingest import Ingest
from fullbake.contract.results.mistakes import Mistakes
from fullbake.contract.results.pretraining import Pretraining
from fullbake.contract.results.report import Lengths
from fullbake.contract.results.report import Report as Parts
from fullbake.contract.results.tokens import Tokens, merge_scripts
from fullbake.contract.results.training import Training
from fullbake.contract.results.tuning import read_tuner_results
from fullbake.trainer.encoder.base_model import base_label

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


class RunReport(artifact.Artifact):
    """A folder with `report.html`, and in `report.json` what it was made from (see `contract.results.report`).

    Unless texts are not to be shown, `predictions.csv` in it has every test text.
    """

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
    show_texts: Parameter[int] = 1,
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
        show_texts: 1 if the page shows test texts, and `predictions.csv` stands beside it; 0 if not.
        pretraining_run: The Pretrainer's logs, with `pretraining.json`; None where there was no further pre-training.
        tuner_results: The Tuner's results, with `tuner_results.json`; None where there was no search.
    """
    spec = TokenizerSpec.from_dict(json.loads(tokenizer))
    pretraining, tuning = None, None
    if pretraining_run:
        pretraining = Pretraining.from_json(_read(pretraining_run.uri, names.PRETRAINING_FILE))
    if tuner_results:
        tuning = read_tuner_results(_read(tuner_results.uri, names.TUNER_RESULTS_FILE))
    mistakes = None
    # An evaluation in the cache may be of a release that kept no mistakes.
    if fileio.exists(os.path.join(evaluation.uri, names.MISTAKES_FILE)):
        mistakes = Mistakes.from_json(_read(evaluation.uri, names.MISTAKES_FILE))
    if mistakes and not show_texts:
        mistakes = mistakes.without_texts()
    elif mistakes:
        predictions = os.path.join(evaluation.uri, names.PREDICTIONS_FILE)
        fileio.makedirs(report.uri)  # on a cluster nobody has made it
        fileio.copy(predictions, os.path.join(report.uri, names.PREDICTIONS_FILE), overwrite=True)
    tell("counting the tokens of all texts")
    lengths, tokens = _count_tokens(examples, spec)
    parts = Parts(
        title=title,
        run=os.path.basename(os.path.normpath(report.uri)),
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        base=base_label(spec.base),
        evaluation=Evaluation.from_json(_read(evaluation.uri, names.EVALUATION_FILE)),
        mistakes=mistakes,
        pretraining=pretraining,
        tuning=tuning,
        training=Training.from_json(_read(model_run.uri, names.TRAINING_FILE)),
        ingest=Ingest.from_json(_read(examples.uri, names.INGEST_FILE)),
        lengths=lengths,
        tokens=tokens,
        config=config,
        versions={
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in LIBRARIES},
        },
    )
    io_utils.write_string_file(os.path.join(report.uri, names.REPORT_PARTS_FILE), parts.to_json())
    io_utils.write_string_file(os.path.join(report.uri, names.REPORT_FILE), render(parts))


def _count_tokens(examples: artifact.Artifact, spec: TokenizerSpec) -> tuple[Lengths, Tokens]:
    """Returns the lengths of the training texts, and the tokens of those of all labelled splits."""
    splits = [split for split in artifact_utils.decode_split_names(examples.split_names) if split != names.CORPUS_SPLIT]
    counter = SplitCounter(spec)
    counted = {split: counter.count(artifact_utils.get_split_uri([examples], split)) for split in splits}
    by_split = {split: scripts for split, (_, scripts) in counted.items()}
    scripts = merge_scripts(by_split.values())
    notes = vocabulary_note(scripts, base_label(spec.base)), cut_note(scripts, spec.row_length)
    return counted[names.TRAIN_SPLIT][0], Tokens(splits=by_split, notes=tuple(filter(None, notes)))


def _read(uri: str, name: str) -> str:
    with fileio.open(os.path.join(uri, name)) as file:
        return str(file.read())

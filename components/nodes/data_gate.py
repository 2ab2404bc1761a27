"""The gate before training: what cannot come to a good end stops the run before it has cost anything."""

import json
import logging
import os

from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.components.example_validator import executor as example_validator
from tfx.dsl.component.experimental.annotations import InputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_artifacts

from fullbake.components.evaluation.class_sizes import judge_classes
from fullbake.components.evaluation.gate import GateSpec, too_few_rows
from fullbake.components.serving.baseline import find_baseline
from fullbake.components.serving.making import NOTHING
from fullbake.components.serving.opening_fault import opening_fault
from fullbake.components.serving.pushed_models import read_push
from fullbake.components.tokenizer.split_tokens import SplitCounter
from fullbake.components.tokenizer.tokenizer_spec import TokenizerSpec
from fullbake.components.tokenizer.vocabulary_fit import cut_note, vocabulary_note
from fullbake.contract.errors import InputError
from fullbake.contract.named_few import named_few
from fullbake.contract.names import INGEST_FILE, TEST_SPLIT, TRAIN_SPLIT
from fullbake.contract.progress import tell
from fullbake.contract.results.ingest import Ingest
from fullbake.contract.setting_names import setting_names
from fullbake.trainer.encoder.base_model import base_label

log = logging.getLogger("fullbake")

_MOST_NAMED = 10  # anomalies that one line of error names
_SAMPLE = 4096  # of so many training texts, or up to twice as many, the tokens are looked at: it takes a second


@component
def DataGate(  # noqa: N802, components are called as classes are
    examples: InputArtifact[standard_artifacts.Examples],
    anomalies: InputArtifact[standard_artifacts.ExampleAnomalies],
    gate: Parameter[str],
    text_features: Parameter[str],
    serving_dir: Parameter[str],
    baseline_key: Parameter[str],
    tokenizer: Parameter[str],
    # TFX reads these as optional by their default; it takes no Optional[...].
    max_label_drift: Parameter[float] = None,
    max_length_drift: Parameter[float] = None,
) -> None:
    """Stops the run at any anomaly, at classes of which a split has too few examples, and at a drift beyond a bound.

    And where the model in production cannot be compared with. It warns where the test split is too small for a bound,
    and stops the run where so no model could be pushed. It warns, too, where the base's vocabulary does not fit the
    training texts, or many of them are cut, by a sample.
    What is to wait for it needs `add_upstream_node`: it has no output.

    Args:
        examples: What `CsvExampleGen` wrote, with its counts beside it.
        anomalies: What TFX's `ExampleValidator` found, judging their statistics by the schema of `ConfigSchema`.
        gate: The bounds, `components.evaluation.gate.GateSpec` as JSON.
        text_features: The columns of text that the model will take, as a JSON list.
        serving_dir: Where it will be pushed.
        baseline_key: Names what the new model is compared with, for the cache (see `components.serving.making`).
        tokenizer: A `TokenizerSpec` as JSON.
        max_label_drift: How far the labels' shares may be from those of the span before (see
            `components.data.drift.Drift.label_distance`). None (default): as far as they like.
        max_length_drift: The same of the texts' lengths (`length_distance`).

    Raises:
        InputError: Naming split, feature and TFDV's description; or the classes and their texts; or what has drifted;
            or what is wrong with the model in production.
    """
    problems = []
    for split in artifact_utils.decode_split_names(anomalies.split_names):
        uri = artifact_utils.get_split_uri([anomalies], split)
        with fileio.open(os.path.join(uri, example_validator.DEFAULT_FILE_NAME), "rb") as file:
            problems += anomalies_in(anomalies_pb2.Anomalies.FromString(file.read()), split)
    if problems:
        raise InputError(
            f"data: {named_few(problems, _MOST_NAMED, '; ')}; fix the rows, or the columns and labels in the config"
        )

    with fileio.open(os.path.join(examples.uri, INGEST_FILE)) as file:
        ingest = Ingest.from_json(file.read())
    bounds = GateSpec.from_dict(json.loads(gate))
    judge_classes(ingest, bounds)
    for warning in too_few_rows(bounds, ingest.labels[TEST_SPLIT]):
        log.warning("%s", warning)
    _judge_drift(ingest, max_label_drift, max_length_drift)
    _warn_of_tokens(examples, ingest, TokenizerSpec.from_dict(json.loads(tokenizer)))
    if bounds.max_recall_drop is not None and baseline_key != NOTHING:
        find_baseline(
            serving_dir,
            bounds.labels,
            json.loads(text_features),
            task=bounds.task,
            accept_loss=bounds.accept_baseline_loss,
            opens=_opening_fault_unless_known,
        )


def _opening_fault_unless_known(model: str) -> str | None:
    # What is still, byte for byte, what was pushed has been opened by the servable check of the run that pushed it.
    push = read_push(model)
    return opening_fault(model) if push is None or push.files is None else None


def _warn_of_tokens(examples: standard_artifacts.Examples, ingest: Ingest, tokenizer: TokenizerSpec) -> None:
    tell("counting the tokens of the training texts")
    step = max(1, ingest.examples[TRAIN_SPLIT] // _SAMPLE)
    lengths, scripts = SplitCounter(tokenizer).count(artifact_utils.get_split_uri([examples], TRAIN_SPLIT), step=step)
    sample = f" (by {lengths.rows:,} of the training texts)" if step > 1 else ""
    for key, note in (
        ("base", vocabulary_note(scripts, base_label(tokenizer.base))),
        ("max_windows" if tokenizer.windows else "max_length", cut_note(scripts, tokenizer.row_length)),
    ):
        if note:
            log.warning("%s: %s%s", setting_names()[key], note, sample)


def _judge_drift(ingest: Ingest, max_label_drift: float | None, max_length_drift: float | None) -> None:
    drift = ingest.drift
    if drift is not None:
        log.info("drift from span %d: %s", drift.before, drift)
    for key, bound in (("max_label_drift", max_label_drift), ("max_length_drift", max_length_drift)):
        if bound is None:
            continue
        if ingest.drift_unknown:
            raise InputError(
                "{reason}; fix it, take it away, or set the bound to null", field=key, reason=ingest.drift_unknown
            )
        if drift is None:
            continue
        if key == "max_label_drift":
            distance, what = drift.label_distance, f"the labels' shares have drifted by {drift.labels_in_words}"
        else:
            distance, what = drift.length_distance, f"the texts' lengths have drifted by {drift.lengths_in_words}"
        if distance > bound:
            raise InputError(
                "since span {before} {what}, and {bound:g} is allowed; look into the new span, and if it is as it "
                "should be, raise the bound for this run",
                field=key,
                before=drift.before,
                what=what,
                bound=bound,
            )


def anomalies_in(anomalies: anomalies_pb2.Anomalies, split: str) -> list[str]:
    """Returns a line for each anomaly TFDV found in a split: the split, the feature and the description."""
    lines = [
        f"feature {feature!r} of split {split!r}: {info.description}"
        for feature, info in anomalies.anomaly_info.items()
    ]
    if anomalies.HasField("dataset_anomaly_info"):
        lines.append(f"split {split!r}: {anomalies.dataset_anomaly_info.description}")
    if anomalies.data_missing:
        lines.append(f"split {split!r}: there are no examples")
    return [" ".join(line.split()) for line in sorted(lines)]

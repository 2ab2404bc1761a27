"""The Evaluator on models whose decisions are known, for tests of its verdicts."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import tensorflow as tf
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import artifact_utils, standard_artifacts

from fullbake.components.evaluation.gate import GateSpec
from fullbake.components.nodes.config_schema import SCHEMA_FILE, make_schema
from fullbake.components.nodes.evaluator import EvaluatorExecutor
from fullbake.contract.names import EVALUATION_FILE
from tests.components.raw_examples import write_examples
from tests.components.test_servable_check import save_keyword_model

LABELS = ("fine", "rude", "odd")
# Test rows by label and text. Of the models below, the careful one knows "idiot" and "fool", the careless one "idiot".
ROWS = [
    *[("fine", f"a lovely garden {number}") for number in range(30)],
    *[("rude", f"you idiot {number}") for number in range(12)],
    *[("rude", f"what a fool {number}") for number in range(3)],
    *[("odd", f"zzz {number}") for number in range(4)],
    ("odd", "a lovely zzz"),
]
CAREFUL = {"fine": "lovely", "rude": "(idiot|fool)", "odd": "zzz"}
CARELESS = {"fine": "lovely", "rude": "idiot", "odd": "zzz"}


def make_artifact(kind, folder: Path):
    artifact = kind()
    artifact.uri = str(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return artifact


def push(serving: Path, version: int, rules, **settings) -> Path:
    return save_keyword_model(serving / str(version), rules, **settings)


@dataclass
class Verdict:
    """What an evaluation left."""

    evaluation: dict
    blessing: standard_artifacts.ModelBlessing
    files: set[str]

    @property
    def missed(self) -> list[tuple[str, str]]:
        return [(bound["metric"], bound["label"]) for bound in self.evaluation["bounds"] if not bound["passed"]]


def evaluate_model(
    folder: Path, model: Path, serving: Path | None = None, rows=ROWS, labels=LABELS, **bounds
) -> Verdict:
    """Evaluates a model artifact on rows, in a folder that is empty."""
    write_examples(folder / "examples/Split-test", rows)
    # Rows that would spoil every number, were they read.
    write_examples(folder / "examples/Split-train", [("fine", "you idiot")] * 50)
    schema = make_schema(list(labels), text_pair=False)
    return run_evaluator(folder, model, schema, GateSpec(labels, **bounds), serving)


def run_evaluator(
    folder: Path, model: Path, schema: schema_pb2.Schema, gate: GateSpec, serving: Path | None = None
) -> Verdict:
    """Evaluates a model artifact on the examples that are in the folder."""
    examples = make_artifact(standard_artifacts.Examples, folder / "examples")
    examples.split_names = artifact_utils.encode_split_names(["train", "test"])
    schemas = make_artifact(standard_artifacts.Schema, folder / "schema")
    (folder / "schema" / SCHEMA_FILE).write_text(text_format.MessageToString(schema))
    candidate = make_artifact(standard_artifacts.Model, model)
    candidate.id = 17
    evaluation = make_artifact(standard_artifacts.ModelEvaluation, folder / "evaluation")
    blessing = make_artifact(standard_artifacts.ModelBlessing, folder / "blessing")
    EvaluatorExecutor(BaseBeamExecutor.Context(tmp_dir=str(folder / "tmp"), unique_id="1")).Do(
        {"examples": [examples], "schema": [schemas], "model": [candidate]},
        {"evaluation": [evaluation], "blessing": [blessing]},
        {
            "gate": json.dumps(asdict(gate)),
            "serving_dir": str(serving or folder / "serving"),
            "baseline_key": "nothing",
        },
    )
    result = json.loads((folder / "evaluation" / EVALUATION_FILE).read_text())
    return Verdict(result, blessing, {file.name for file in (folder / "blessing").iterdir()})


def counted(model: Path, rows=ROWS, labels=LABELS):
    """Recall and precision of what a model's text signature says of the rows, counted one by one."""
    texts = tf.constant([text for _, text in rows])
    given = tf.saved_model.load(str(model)).signatures["serving_default"](text=texts)
    decisions = given["label"].numpy().astype(str).tolist()
    truths = [label for label, _ in rows]
    both = Counter(truth for truth, decision in zip(truths, decisions, strict=True) if truth == decision)
    true, decided = Counter(truths), Counter(decisions)
    recall = {label: both[label] / true[label] if true[label] else None for label in labels}
    precision = {label: both[label] / decided[label] if decided[label] else None for label in labels}
    return recall, precision, given["probabilities"].numpy()

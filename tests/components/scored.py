"""Models whose scores stand in the texts, so that what an evaluation must find can be computed beside it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from fullbake.components.evaluation.gate import GateSpec
from fullbake.components.nodes.config_schema import make_schema
from fullbake.contract.names import ABOUT_FILE, LABELS_SEPARATOR
from tests.components.evaluating import Verdict, run_evaluator
from tests.components.raw_examples import write_listed_examples


@dataclass(frozen=True)
class ScoredRow:
    """A row whose text is the scores that a model of `save_scored_model` gives it."""

    scores: tuple[float, ...]
    labels: tuple[str, ...]
    masked: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()

    @property
    def features(self) -> dict[str, Sequence[str]]:
        text = " ".join(f"{score:.9g}" for score in self.scores)
        return {"text": [text], "label": self.labels, "masked_label": self.masked, "slice": self.slices}


def save_scored_model(folder: Path, labels: Sequence[str], thresholds: Sequence[float] | None) -> Path:
    """Saves a model that gives a text the scores that it holds.

    Args:
        folder: Made if missing.
        labels: Its labels, in the order of the scores in a text.
        thresholds: A multi-label model decides each label from its own; None: the likeliest label is decided.
    """

    def decide(text: tf.Tensor) -> dict[str, tf.Tensor]:
        scores = tf.strings.to_number(tf.strings.split(text).to_tensor("0", shape=[None, len(labels)]))
        if thresholds is None:
            return {"label": tf.gather(tf.constant(labels), tf.argmax(scores, axis=1)), "probabilities": scores}
        places = tf.ragged.boolean_mask(
            tf.repeat(tf.constant([labels]), tf.shape(text)[0], axis=0), scores >= tf.constant(thresholds, tf.float32)
        )
        return {"label": tf.strings.reduce_join(places, axis=1, separator=LABELS_SEPARATOR), "probabilities": scores}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def from_texts(text):
        return decide(text)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def from_examples(examples):
        return decide(tf.io.parse_example(examples, {"text": tf.io.FixedLenFeature([], tf.string)})["text"])

    model = tf.Module()
    model.kept = [from_texts, from_examples]
    tf.saved_model.save(model, str(folder), signatures={"serving_default": from_texts, "examples": from_examples})
    about = {"labels": list(labels), "text_features": ["text"]}
    if thresholds is not None:
        about |= {"task": "multi_label", "decision_thresholds": dict(zip(labels, thresholds, strict=True))}
    (folder / ABOUT_FILE).parent.mkdir()
    (folder / ABOUT_FILE).write_text(json.dumps(about), encoding="utf-8")
    return folder


def evaluate_scored(
    folder: Path, model: Path, rows: Sequence[ScoredRow], gate: GateSpec, serving: Path | None = None
) -> Verdict:
    """Evaluates a model artifact on rows, in a folder that is empty."""
    write_listed_examples(folder / "examples/Split-test", (row.features for row in rows))
    write_listed_examples(folder / "examples/Split-train", (row.features for row in rows[:1]))
    schema = make_schema(list(gate.labels), text_pair=False, multi_label=gate.multi_label, sliced=gate.sliced)
    return run_evaluator(folder, model, schema, gate, serving)


def random_rows(labels: Sequence[str], count: int, seed: int, masked: float = 0.2) -> list[ScoredRow]:
    """Rows with some sense in their scores, of which a share of all labels is not known; many scores are tied."""
    generator = np.random.default_rng(seed)
    truth = generator.random((count, len(labels))) < np.linspace(0.5, 0.15, len(labels))
    known = generator.random(truth.shape) >= masked
    scores = np.clip(0.35 * truth + 0.3 + generator.normal(0, 0.25, truth.shape), 0, 1).round(2).astype(np.float32)
    names = np.array(labels)
    return [
        ScoredRow(tuple(map(float, scores[row])), tuple(names[truth[row] & known[row]]), tuple(names[~known[row]]))
        for row in range(count)
    ]

"""A tiny exported model that gives its texts several labels."""

from pathlib import Path

import tensorflow as tf
import tensorflow_transform as tft

from fullbake.trainer.export import export_model
from fullbake.trainer.models.classifier import Classifier
from tests.trainer.trainings import make_spec

LABELS = ("fine", "rude", "odd")
ADDED = ["label", "p_fine", "p_rude", "p_odd"]
TEXTS = ["you are a bad idiot", "what a lovely garden", "it is not", "zzz"]


def export(
    base: Path,
    transform: tft.TFTransformOutput,
    folder: Path,
    labels: tuple[str, ...],
    threshold: float | None = None,
    **changes,
) -> str:
    spec = make_spec(base, **{"head": "linear", "labels": labels, "text_columns": {"text": "comment"}, **changes})
    classifier = Classifier.from_base(base, "linear", labels)
    for variable in classifier.variables:
        variable.assign_add(tf.random.stateless_normal(variable.shape, (1, 2), stddev=0.1))
    tokens = transform.transform_features_layer()({"text": tf.constant(TEXTS)[:, None]})
    logits = classifier({name: tf.cast(value, tf.int32) for name, value in tokens.items()})
    # No class can be the first choice for all texts when the mean of each class's logits is zero.
    (bias,) = (variable for path, variable in classifier.paths().items() if path.startswith("head/") and "bias" in path)
    bias.assign_sub(tf.reduce_mean(logits, axis=0))
    thresholds = {} if threshold is None else {labels[1]: threshold}
    export_model(classifier, spec, transform, folder, base=base, thresholds=thresholds)
    return str(folder)

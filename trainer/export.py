"""Writes a trained classifier as it is served: a SavedModel from text to label, and its Hugging Face folder."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import safetensors.numpy
import tensorflow as tf
import tensorflow_transform as tft
import tf_keras

from fullbake.contract.names import (
    ABOUT_FILE,
    EXAMPLES_SIGNATURE,
    HEAD_FILE,
    HF_FOLDER,
    LABEL_OUTPUT,
    PROBABILITIES_OUTPUT,
    SLAB_ROWS,
    TEXT_SIGNATURE,
)
from fullbake.contract.results.about import About, Reading
from fullbake.trainer.data.window_cutting import cut_windows
from fullbake.trainer.encoder.base_model import base_label
from fullbake.trainer.encoder.tokenizer import write_served_tokenizer
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.models.window_pooling import pool_windows
from fullbake.trainer.spec import TrainingSpec
from fullbake.trainer.tasks.table import SINGLE_LABEL, Task
from fullbake.trainer.windows import Windows

# Tokens that go through the encoder at once. At width 512 that is 16 rows, whose attention scores take 200 MB with 12
# heads; at width 32 it is 256 rows.
CHUNK_TOKENS = 8192

# A row takes the time of the longest of its chunk, and a chunk has a cost of its own: one holds no row that is shorter
# than half its longest by more than this, in tokens (`python -m benchmarks server`: 16 comments in 20% less time).
CHUNK_SLACK = 16

NO_THRESHOLDS: Mapping[str, float] = MappingProxyType({})


class ServingModel(tf.Module):
    """The graph that is served: raw text in, label and probabilities out, for any number of rows in bounded memory.

    Rows are taken in slabs; a slab is tokenized, sorted by length, and goes through the encoder in chunks of similar
    length and at most `CHUNK_TOKENS` tokens, each cut to its longest row. Where rows are read in windows, it is these
    that are sorted and dealt into chunks, wherever their rows are; in the end the logits of each row's windows are
    pooled.

    Args:
        classifier: Returns the logits.
        transform: Its graph tokenizes, the same that made the training examples.
        labels: The labels in the order of their class index.
        thresholds: By label, the probability from which it is decided; empty: as the task has it.
        task: What its logits mean.
        windows: Into which rows are cut; None: they are read whole.
    """

    def __init__(
        self,
        classifier: Classifier,
        transform: tft.TFTransformOutput,
        labels: tuple[str, ...],
        thresholds: Mapping[str, float] = NO_THRESHOLDS,
        task: Task = SINGLE_LABEL,
        windows: Windows | None = None,
    ):
        super().__init__()
        # Model and tokenizer are reached through functions, and only variables are kept (the tokenizer has none): a
        # SavedModel that holds no Keras objects loads without Keras, and saving it does not trace each layer once more.
        self._logits = lambda features: classifier(features, training=False)
        self._probabilities = task.probabilities
        self._variables = list(classifier.variables)
        tokenizer = transform.transform_features_layer()
        self._tokenize = lambda columns: tokenizer(columns)
        self._num_labels = len(labels)
        self._windows = windows
        # A slab has as many tokens, whether its rows have one window or several.
        self._slab_rows = max(1, SLAB_ROWS // (windows.most if windows else 1))
        self._decide = lambda probabilities: task.decide(probabilities, labels, thresholds)
        raw = transform.raw_feature_spec()
        self.text_features = [name for name in ("text", "text_pair") if name in raw]
        self._raw_feature_spec = {name: raw[name] for name in self.text_features}

    def signatures(self) -> dict[str, tf.types.experimental.GenericFunction]:
        """The signatures that are served.

        `serving_default` takes `text` (and `text_pair`), string `(rows,)`; `examples` takes serialized
        `tf.Example`, string `(rows,)`. Both return `label`, string `(rows,)`, and `probabilities`, float32
        `(rows, num_labels)`.
        """
        texts = {name: tf.TensorSpec([None], tf.string, name=name) for name in self.text_features}

        @tf.function(input_signature=list(texts.values()), autograph=False)
        def from_texts(*columns: tf.Tensor) -> dict[str, tf.Tensor]:
            return self._classify(dict(zip(texts, columns, strict=True)))

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")], autograph=False)
        def from_examples(examples: tf.Tensor) -> dict[str, tf.Tensor]:
            parsed = tf.io.parse_example(examples, self._raw_feature_spec)
            return from_texts(*(tf.reshape(parsed[name], [-1]) for name in self.text_features))

        return {TEXT_SIGNATURE: from_texts, EXAMPLES_SIGNATURE: from_examples}

    def _classify(self, texts: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        rows = tf.shape(texts["text"])[0]
        probabilities = tf.zeros([0, self._num_labels])

        def score_slab(start: tf.Tensor, done: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            slab = {name: column[start : start + self._slab_rows] for name, column in texts.items()}
            return start + self._slab_rows, tf.concat([done, self._score(slab)], axis=0)

        _, probabilities = tf.while_loop(
            lambda start, _: start < rows,
            score_slab,
            [tf.constant(0), probabilities],
            shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, self._num_labels])],
            parallel_iterations=1,
        )
        return {LABEL_OUTPUT: self._decide(probabilities), PROBABILITIES_OUTPUT: probabilities}

    def _score(self, texts: dict[str, tf.Tensor]) -> tf.Tensor:
        features = self._tokenize({name: column[:, None] for name, column in texts.items()})
        features = {name: tf.cast(value, tf.int32) for name, value in features.items()}
        if self._windows is None:
            return self._probabilities(self._logits_in_chunks(features))
        cut, row = cut_windows(features, self._windows)
        rows = tf.shape(texts["text"])[0]
        return self._probabilities(pool_windows(self._logits_in_chunks(cut), row, rows, self._windows))

    def _logits_in_chunks(self, features: dict[str, tf.Tensor]) -> tf.Tensor:
        """The logits of tokens, float32 `(rows, num_labels)` in their order, computed chunk by chunk."""
        lengths = tf.reduce_sum(features["attention_mask"], axis=1)
        order = tf.argsort(lengths, direction="DESCENDING", stable=True)
        lengths = tf.gather(lengths, order)
        features = {name: tf.gather(value, order) for name, value in features.items()}
        rows = tf.shape(lengths)[0]

        def score_chunk(start: tf.Tensor, done: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            width = lengths[start]
            similar = tf.math.count_nonzero(2 * lengths + CHUNK_SLACK >= width, dtype=tf.int32)
            stop = tf.minimum(similar, start + tf.maximum(1, CHUNK_TOKENS // width))
            chunk = {name: value[start:stop, :width] for name, value in features.items()}
            return stop, tf.concat([done, self._logits(chunk)], axis=0)

        _, logits = tf.while_loop(
            lambda start, _: start < rows,
            score_chunk,
            [tf.constant(0), tf.zeros([0, self._num_labels])],
            shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, self._num_labels])],
            parallel_iterations=1,
        )
        return tf.gather(logits, tf.math.invert_permutation(order))


def export_model(
    classifier: Classifier,
    spec: TrainingSpec,
    transform: tft.TFTransformOutput,
    folder: Path,
    *,
    base: Path,
    thresholds: Mapping[str, float] = NO_THRESHOLDS,
    temperature: float | None = None,
) -> None:
    """Writes the SavedModel of a trained classifier, and beside it what Hugging Face loads.

    Args:
        classifier: The trained model; it may live under a strategy and in mixed precision: what is written is float32
            on one device.
        spec: How it was made.
        transform: The Transform graph its examples came from.
        folder: Where the SavedModel goes.
        base: The folder of the base model it was trained from (see `trainer.encoder.base_model.resolve_base`), for its
            config and tokenizer.
        thresholds: As `ServingModel` takes them.
        temperature: As `served_copy` takes it.
    """
    plain = served_copy(classifier, spec, base, temperature)
    serving = ServingModel(plain, transform, spec.labels, thresholds, spec.task, spec.windows)
    tf.saved_model.save(serving, str(folder), signatures=serving.signatures())
    plain.encoder.write(base, folder / HF_FOLDER)
    row_length = transform.transformed_feature_spec()["input_ids"].shape[0]
    write_served_tokenizer(base, folder / HF_FOLDER, spec.windows.length if spec.windows else row_length)
    if plain.head is not None:
        _write_head(plain.head, folder / HF_FOLDER / HEAD_FILE)
    about = About(
        labels=tuple(spec.labels),
        text_features=tuple(serving.text_features),
        text_columns=spec.text_columns,
        reading=Reading.model_validate(spec.reading),
        task=spec.task_name,
        decision_threshold=thresholds.get(spec.labels[1]) if spec.task is SINGLE_LABEL else None,
        decision_thresholds={} if spec.task is SINGLE_LABEL else dict(thresholds),
        temperature=temperature,
        approach=spec.approach,
        head=spec.head,
        pooling=spec.pooling,
        base=base_label(spec.base),
        base_hash=spec.base_hash,
        versions={"tensorflow": tf.__version__, "transformers": importlib.metadata.version("transformers")},
    )
    (folder / ABOUT_FILE).write_text(about.to_json(), encoding="utf-8")


def served_copy(classifier: Classifier, spec: TrainingSpec, base: Path, temperature: float | None = None) -> Classifier:
    """Copies a trained classifier to float32 on one device, as it is served.

    A decision threshold is chosen by the scores of the copy: those of mixed precision are not what is served.

    Args:
        classifier: The trained model.
        spec: How it was made.
        base: The folder of the base model.
        temperature: What its logits are divided by, so that whoever reads its weights has calibrated probabilities;
            None: nothing.
    """
    copy = Classifier.from_base(base, spec.head, spec.labels, pooling=spec.pooling, pretrained=False, task=spec.task)
    weights = classifier.plain_weights()
    for path, variable in copy.paths().items():
        variable.assign(weights[path])
    if temperature is not None:
        copy.divide_logits(temperature)
    return copy


def _write_head(head: tf_keras.Model, file: Path) -> None:
    """Writes a head of ours under PyTorch's names: `dense_0.weight`, `batch_normalization_0.running_mean`, ..."""
    names = {
        "kernel": "weight",
        "gamma": "weight",
        "beta": "bias",
        "moving_mean": "running_mean",
        "moving_variance": "running_var",
    }
    tensors = {}
    for layer in head.layers:
        for variable in layer.variables:
            name = variable.name.removesuffix(":0").rpartition("/")[2]
            value = variable.numpy()
            tensors[f"{layer.name}.{names.get(name, name)}"] = np.ascontiguousarray(
                value.T if name == "kernel" else value
            )
    safetensors.numpy.save_file(tensors, file, metadata={"format": "pt"})

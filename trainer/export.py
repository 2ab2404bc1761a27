"""Writes a trained classifier as it is served: a SavedModel from text to label, and its Hugging Face folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import safetensors.numpy
import tensorflow as tf
import tensorflow_transform as tft
import tf_keras
import transformers
from transformers.modeling_tf_pytorch_utils import TransposeType, convert_tf_weight_name_to_pt_weight_name

from fullbake.contract.names import ABOUT_FILE, EXAMPLES_SIGNATURE, HEAD_FILE, HF_FOLDER, SLAB_ROWS, TEXT_SIGNATURE
from fullbake.trainer.encoder.base_model import TOKENIZER_FILES, base_label, base_sizes
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.spec import TrainingSpec

# Tokens that go through the encoder at once. At width 512 that is 16 rows, whose attention scores take 200 MB with 12
# heads; at width 32 it is 256 rows.
CHUNK_TOKENS = 8192


class ServingModel(tf.Module):
    """The graph that is served: raw text in, label and probabilities out, for any number of rows in bounded memory.

    Rows are taken in slabs; a slab is tokenized, sorted by length, and goes through the encoder in chunks of at most
    `CHUNK_TOKENS` tokens, each cut to its longest row.

    Args:
        classifier: Gives the logits.
        transform: Its graph tokenizes, the same that made the training examples.
        labels: The labels in the order of their class index.
        threshold: Of two labels, the probability of the second from which it is decided; None: the likelier label is.

    Raises:
        ValueError: There is a threshold, and not two labels.
    """

    def __init__(
        self,
        classifier: Classifier,
        transform: tft.TFTransformOutput,
        labels: tuple[str, ...],
        threshold: float | None = None,
    ):
        super().__init__()
        if threshold is not None and len(labels) != 2:
            raise ValueError(f"a threshold decides between two labels, not {len(labels)}")
        # Model and tokenizer are reached through functions, and only variables are kept (the tokenizer has none): a
        # SavedModel that holds no Keras objects loads without Keras, and saving it does not trace each layer once more.
        self._logits = lambda features: classifier(features, training=False)
        self._variables = list(classifier.variables)
        tokenizer = transform.transform_features_layer()
        self._tokenize = lambda columns: tokenizer(columns)
        self._labels = tf.constant(labels)
        self._threshold = threshold
        raw = transform.raw_feature_spec()
        self.text_features = [name for name in ("text", "text_pair") if name in raw]
        self._raw_feature_spec = {name: raw[name] for name in self.text_features}

    def signatures(self) -> dict[str, tf.types.experimental.GenericFunction]:
        """The two ways in.

        `serving_default` takes `text` (and `text_pair`), string `(rows,)`; `examples` takes serialized
        `tf.Example`, string `(rows,)`. Both give `label`, string `(rows,)`, and `probabilities`, float32
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
        probabilities = tf.zeros([0, self._labels.shape[0]])

        def score_slab(start: tf.Tensor, done: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            slab = {name: column[start : start + SLAB_ROWS] for name, column in texts.items()}
            return start + SLAB_ROWS, tf.concat([done, self._score(slab)], axis=0)

        _, probabilities = tf.while_loop(
            lambda start, _: start < rows,
            score_slab,
            [tf.constant(0), probabilities],
            shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, self._labels.shape[0]])],
            parallel_iterations=1,
        )
        return {"label": tf.gather(self._labels, self._decide(probabilities)), "probabilities": probabilities}

    def _decide(self, probabilities: tf.Tensor) -> tf.Tensor:
        if self._threshold is None:
            return tf.argmax(probabilities, axis=1)
        return tf.cast(probabilities[:, 1] >= self._threshold, tf.int64)

    def _score(self, texts: dict[str, tf.Tensor]) -> tf.Tensor:
        features = self._tokenize({name: column[:, None] for name, column in texts.items()})
        features = {name: tf.cast(value, tf.int32) for name, value in features.items()}
        lengths = tf.reduce_sum(features["attention_mask"], axis=1)
        order = tf.argsort(lengths, direction="DESCENDING", stable=True)
        lengths = tf.gather(lengths, order)
        features = {name: tf.gather(value, order) for name, value in features.items()}
        rows = tf.shape(lengths)[0]

        def score_chunk(start: tf.Tensor, done: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            width = lengths[start]
            stop = start + tf.maximum(1, CHUNK_TOKENS // width)
            chunk = {name: value[start:stop, :width] for name, value in features.items()}
            return stop, tf.concat([done, tf.nn.softmax(self._logits(chunk))], axis=0)

        _, scored = tf.while_loop(
            lambda start, _: start < rows,
            score_chunk,
            [tf.constant(0), tf.zeros([0, self._labels.shape[0]])],
            shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, self._labels.shape[0]])],
            parallel_iterations=1,
        )
        return tf.gather(scored, tf.math.invert_permutation(order))


def export_model(
    classifier: Classifier,
    spec: TrainingSpec,
    transform: tft.TFTransformOutput,
    folder: Path,
    *,
    base: Path,
    threshold: float | None = None,
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
        threshold: As `ServingModel` takes it.
    """
    plain = served_copy(classifier, spec, base)
    serving = ServingModel(plain, transform, spec.labels, threshold)
    tf.saved_model.save(serving, str(folder), signatures=serving.signatures())
    write_hf_folder(plain.backbone, base, folder / HF_FOLDER)
    max_length = transform.transformed_feature_spec()["input_ids"].shape[0]
    _write_tokenizer(base, folder / HF_FOLDER, max_length)
    if plain.head is not None:
        _write_head(plain.head, folder / HF_FOLDER / HEAD_FILE)
    about = {
        "labels": list(spec.labels),
        "text_features": serving.text_features,
        "text_columns": spec.text_columns,
        "decision_threshold": threshold,
        "approach": spec.approach,
        "head": spec.head,
        "pooling": spec.pooling,
        "base": base_label(spec.base),
        "base_hash": spec.base_hash,
        "versions": {"tensorflow": tf.__version__, "transformers": transformers.__version__},
    }
    (folder / ABOUT_FILE).write_text(json.dumps(about, indent=1, ensure_ascii=False), encoding="utf-8")


def served_copy(classifier: Classifier, spec: TrainingSpec, base: Path) -> Classifier:
    """Copies a trained classifier to float32 on one device, as it is served.

    A decision threshold is chosen by the scores of the copy: those of mixed precision are not what is served.

    Args:
        classifier: The trained model.
        spec: How it was made.
        base: The folder of the base model.
    """
    copy = Classifier.from_base(base, spec.head, spec.labels, pooling=spec.pooling, pretrained=False)
    copy.set_weights(classifier.get_weights())
    return copy


def write_hf_folder(
    backbone: transformers.TFPreTrainedModel, base: Path, folder: Path, *, more: Mapping[str, tf.Variable] | None = None
) -> None:
    """Writes a model in Hugging Face's format: config, tokenizer and safetensors under PyTorch's names.

    PyTorch's names, because both PyTorch and TensorFlow load them, each without the other installed.

    Args:
        backbone: A Hugging Face TensorFlow model: an encoder, a `*ForSequenceClassification`, or a `*ForMaskedLM`;
            the decoder of the latter is tied to the embeddings, and whoever loads the folder ties them again.
        base: The base model's folder, for its tokenizer.
        folder: Made if missing.
        more: By path below `encoder/`, weights of the encoder that the backbone lacks (see
            `trainer.models.classifier.weights_left_out`).
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, np.ndarray] = {}
    inside = {variable.name.split(f"{backbone.name}/", 1)[-1]: variable for variable in backbone.variables}
    for path, variable in (more or {}).items():
        inside[f"{backbone.base_model_prefix}/{path.removeprefix('encoder/')}:0"] = variable
    for name, variable in inside.items():
        name, transpose = convert_tf_weight_name_to_pt_weight_name(
            f"{backbone.name}/{name}", tf_weight_shape=variable.shape
        )
        value = variable.numpy()
        tensors[name] = np.ascontiguousarray(value.T if transpose is TransposeType.SIMPLE else value)
    if len(tensors) != len(backbone.variables) + len(more or {}):
        raise RuntimeError("two variables of the model share a name in PyTorch")
    safetensors.numpy.save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = backbone.config  # without what an earlier task left in it (see `trainer.models.classifier.plain_config`)
    config.architectures = [type(backbone).__name__.removeprefix("TF")]
    config.save_pretrained(folder)
    for name in TOKENIZER_FILES:
        if (base / name).is_file():
            shutil.copyfile(base / name, folder / name)


def _write_tokenizer(base: Path, folder: Path, max_length: int) -> None:
    """Writes the tokenizer so that Hugging Face's pipeline hands the model what the serving graph does.

    Whatever the base's tokenizer says of it: texts are cut at their end, to the length that was trained on, padding
    stands at the end, token types are given to an encoder that has them, and a special token that a user types is
    ordinary text. What a fast tokenizer keeps of earlier calls (all-MiniLM's pads to 128) is dropped.
    """
    inputs = ["input_ids", *(["token_type_ids"] if base_sizes(base)["types"] else []), "attention_mask"]
    tokenizer = transformers.AutoTokenizer.from_pretrained(
        base,
        trust_remote_code=False,
        truncation_side="right",
        padding_side="right",
        model_max_length=max_length,
        model_input_names=inputs,
        split_special_tokens=True,
    )
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.save_pretrained(folder)


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

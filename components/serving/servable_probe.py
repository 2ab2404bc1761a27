"""Run by the servable check in a process of its own: opens a SavedModel as a server would and uses it."""

import json
import os
import sys
import threading
from typing import Any

# Given as the second argument, the probe ends when its standard input does.
UNTIL_STDIN_ENDS = "--until-stdin-ends"


def end_with_stdin() -> None:
    """Ends this process when whoever started it is gone, and with it the pipe to standard input."""
    # Not through sys.stdin, whose lock would stop the interpreter from ending.
    while os.read(0, 1):
        pass
    os._exit(1)


# Before the imports, which take seconds.
if __name__ == "__main__" and UNTIL_STDIN_ENDS in sys.argv:
    threading.Thread(target=end_with_stdin, daemon=True).start()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import tensorflow_text  # noqa: E402, F401  (the graph holds its ops)

# Nothing, a word, markup, several scripts, bytes that are not UTF-8, and more words than any model takes.
TEXTS = [
    b"",
    b"hello",
    b"<b>Hello</b>, [SEP] & goodbye!",
    "Grüße, 世界 👋".encode(),
    b"\xff\xfe",
    b"many words " * 1000,
]


def main(folder: str) -> None:
    """Labels texts through both signatures, one at a time and together, and compares."""
    model = tf.saved_model.load(folder)
    serve, from_examples = model.signatures["serving_default"], model.signatures["examples"]
    names = sorted(serve.structured_input_signature[1])
    together = serve(**{name: tf.constant(TEXTS) for name in names})
    _are_probabilities(together["probabilities"].numpy(), together["label"].numpy(), _about(folder))
    for row, text in enumerate(TEXTS):
        alone = serve(**{name: tf.constant([text]) for name in names})
        _same(alone["probabilities"][0], together["probabilities"][row], f"text {row} alone and among others")
    feature = {
        name: [tf.train.Feature(bytes_list=tf.train.BytesList(value=[text])) for text in TEXTS] for name in names
    }
    examples = [
        tf.train.Example(features=tf.train.Features(feature={name: feature[name][row] for name in names}))
        for row in range(len(TEXTS))
    ]
    parsed = from_examples(examples=tf.constant([example.SerializeToString() for example in examples]))
    _same(parsed["probabilities"], together["probabilities"], "the two signatures")


def _about(folder: str) -> dict[str, Any]:
    with tf.io.gfile.GFile(os.path.join(folder, "assets.extra", "fullbake.json")) as file:
        about: dict[str, Any] = json.load(file)
    return about


def _are_probabilities(probabilities: np.ndarray, labels: np.ndarray, about: dict[str, Any]) -> None:
    if about.get("task") == "multi_label":
        if not ((probabilities >= 0) & (probabilities <= 1)).all():  # NaN, which a diverged model gives, is neither
            raise SystemExit(f"the probabilities are not all from 0 to 1: {probabilities}")
        known = set(about["labels"])
        if unknown := {name for text in labels if text for name in text.decode().split(",")} - known:
            raise SystemExit(f"labels are given that the model does not list: {', '.join(sorted(unknown))}")
        return
    sums = probabilities.sum(axis=1)
    if not np.allclose(sums, 1.0, atol=1e-4):  # NaN is not close to anything
        raise SystemExit(f"the probabilities of a row do not add up to 1 but to {sums}")


def _same(one: tf.Tensor, other: tf.Tensor, what: str) -> None:
    if not np.allclose(one.numpy(), other.numpy(), atol=1e-4):
        raise SystemExit(f"{what} give different probabilities: {one.numpy()} and {other.numpy()}")


if __name__ == "__main__":
    main(sys.argv[1])

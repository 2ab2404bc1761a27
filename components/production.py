"""The folder of pushed models: which version is in production, and what is known of it."""

from __future__ import annotations

import json
import os
from typing import Any

import tensorflow as tf

from trainer.served_model import ABOUT_FILE

# Written at a push: what made the model, of what data, and what was in production when it was judged.
PUSH_FILE = "assets.extra/push.json"
NOTHING = "nothing"


def versions(serving_dir: str) -> list[int]:
    """The versions in a push destination, oldest first; a version still being copied is not among them."""
    if not tf.io.gfile.isdir(serving_dir):
        return []
    names = [name.rstrip("/") for name in tf.io.gfile.listdir(serving_dir)]
    pushed = [name for name in names if name.isascii() and name.isdigit()]
    return sorted(int(n) for n in pushed if tf.io.gfile.exists(os.path.join(serving_dir, n, "saved_model.pb")))


def newest_version(serving_dir: str) -> str | None:
    """The folder of the model in production, or None if nothing was pushed yet."""
    pushed = versions(serving_dir)
    return os.path.join(serving_dir, str(pushed[-1])) if pushed else None


def read_about(model: str) -> dict[str, Any]:
    """What a pushed model says of itself: ``labels``, ``text_features`` and more; empty for a model of other make."""
    return _read_json(os.path.join(model, ABOUT_FILE))


def made_of(serving_dir: str, recipe: str, fingerprint: str) -> str | None:
    """The model in production, if it was made by this recipe of this very data; None otherwise.

    Args:
      serving_dir: the push destination.
      recipe: a fingerprint of all that decides which model a run makes.
      fingerprint: ExampleGen's, of the files.
    """
    newest = newest_version(serving_dir)
    if newest is None:
        return None
    push = _read_json(os.path.join(newest, PUSH_FILE))
    return newest if (push.get("recipe"), push.get("data")) == (recipe, fingerprint) else None


def production_key(serving_dir: str, recipe: str) -> str:
    """Names what a new model is to be judged against, for the cache keys of Evaluator and Pusher.

    A model that is in production because this very recipe made and pushed it does not make its own verdict stale; any
    other model there does.

    Args:
      serving_dir: the push destination.
      recipe: a fingerprint of all that decides which model a run makes.

    Returns:
      The path of the model in production; if this recipe made it, the key it was pushed with; ``NOTHING`` if there is
      none.
    """
    newest = newest_version(serving_dir)
    if newest is None:
        return NOTHING
    push = _read_json(os.path.join(newest, PUSH_FILE))
    return str(push.get("production_key", newest)) if push.get("recipe") == recipe else newest


def _read_json(path: str) -> dict[str, Any]:
    if not tf.io.gfile.exists(path):
        return {}
    with tf.io.gfile.GFile(path) as file:
        values: dict[str, Any] = json.loads(file.read())
    return values

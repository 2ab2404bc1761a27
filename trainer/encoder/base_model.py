"""Finds the pre-trained encoder that a config names. Imports nothing heavy, so that a config is judged quickly."""

from __future__ import annotations

import fnmatch
import json
from pathlib import Path
from typing import Any

from fullbake.contract.errors import InputError
from fullbake.contract.nearest import nearest
from fullbake.trainer.content_hash import hash_file, hash_names
from fullbake.trainer.encoder.families import KNOWN_NAMES, family_of
from fullbake.trainer.encoder.family_shapes import Sizes
from fullbake.trainer.encoder.fast_tokenizer import SENTENCEPIECE_FILES, with_fast_tokenizer
from fullbake.trainer.encoder.package_base import PACKAGE_PREFIX, PACKAGED_BASE, package_folder
from fullbake.trainer.locations import locate

MODEL_BASE = "model.base"
"""What a base that is a folder is called in cache keys, which hold its hash besides (see `trainer.locations`). No key
of a config for anyone who reads it: runs that are there keep their caches as long as it stays as it is."""

TOKENIZER_FILES = (
    *("tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "merges.txt"),
    *("special_tokens_map.json", "added_tokens.json", *SENTENCEPIECE_FILES),
)
# In the order in which transformers looks for them. Never *.bin: a pickle runs code when it is opened.
WEIGHT_FILES = ("model.safetensors", "model.safetensors.index.json", "tf_model.h5", "tf_model.h5.index.json")

# What a base model is made of, by name or glob pattern.
_PARTS = ("config.json", *TOKENIZER_FILES, *WEIGHT_FILES, "model-*.safetensors", "tf_model-*.h5")

HUB_SECONDS = 10  # may the hub take to answer: what huggingface_hub itself waits for a file's head
# How similar a name must be to a well-known one for the latter to be suggested, by difflib's ratio: one or two letters
# differ.
NEAR = 0.85


def resolve_base(base: str, revision: str | None = None) -> Path:
    """Finds the local folder of a base model, and fetches it from the Hugging Face hub where that is needed.

    Args:
        base: A local folder, `package:<python package>/<folder inside it>`, or a hub id such as
            `distilbert-base-uncased`.
        revision: A hub commit, tag or branch; only a hub id has one. Default: the hub's main branch.

    Returns:
        A folder that holds the `config.json` of an encoder of a known family, and weights as safetensors or
        TensorFlow's h5; one of links where its tokenizer is a SentencePiece model alone (see `fast_tokenizer`).

    Raises:
        InputError: There is no such base, it cannot be fetched, it is not of `trainer.encoder.families`, or its weights
            or its SentencePiece model are of a kind that is not opened.
    """
    folder = _local_folder(base) or _hub_folder(base, revision)
    _check_folder(base, folder)
    return with_fast_tokenizer(folder, _parts_of(folder))


def find_tokenizer(base: str) -> Path | None:
    """Finds the local folder of a base model with its tokenizer, and fetches nothing.

    Args:
        base: As `resolve_base` takes it.

    Returns:
        The folder; None where the base is of the hub, and none that was fetched before has config and tokenizer.

    Raises:
        InputError: There is no such folder or package, or it holds no base that can be used.
    """
    folder = _local_folder(base)
    if folder is not None:
        _check_folder(base, folder)
        return with_fast_tokenizer(folder, _parts_of(folder))
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(base, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    except HFValidationError as error:
        raise _no_name_of_a_base(base) from error
    names = {file.name for file in folder.iterdir()}
    tokenizers = ("tokenizer.json", "vocab.txt", "vocab.json", *SENTENCEPIECE_FILES)
    if "config.json" not in names or names.isdisjoint(tokenizers):
        return None
    family_of(read_base_config(folder), repr(base))
    return with_fast_tokenizer(folder, _parts_of(folder))


def open_base(base: str, revision: str | None, base_hash: str | None) -> Path:
    """Finds the local folder of a base model, and checks that it still holds what the run began with.

    Args:
        base: A name that `locate` knows, or a base as `resolve_base` takes it.
        revision: As in `resolve_base`.
        base_hash: What `hash_base` returned when the run began; None: it is not compared.

    Raises:
        InputError: As `resolve_base`, or the files have changed since.
    """
    folder = resolve_base(locate(base), revision)
    if base_hash is not None and hash_base(folder) != base_hash:
        raise InputError(
            "the files in {folder} are not those that this run began with; leave them as they are while it runs, and "
            "run it again",
            field="base",
            folder=folder,
        )
    return folder


def base_label(base: str) -> str:
    """What a base is called for people: its name, or where its folder is."""
    return locate(base) if base == MODEL_BASE else base


def hash_base(folder: Path) -> str:
    """The content of a resolved base model: its config, its tokenizer and its weights.

    Returns:
        SHA-256 in hexadecimal digits, over the files' names and contents; where the folder is does not matter.

    Raises:
        InputError: One of the files cannot be read, or is being written to.
    """
    try:
        return hash_names((name, hash_file(folder / name)) for name in _parts_of(folder))
    except OSError as error:
        raise InputError(
            "{file} cannot be read: {reason}; fetch the model again",
            field="base",
            file=error.filename or folder,
            reason=error.strerror,
        ) from error


def is_folder_name(base: str) -> bool:
    """Whether a base is named by its folder; the other names are those of packages and of the hub."""
    return not base.startswith(PACKAGE_PREFIX) and (Path(base).is_dir() or base.startswith((".", "/", "~")))


def read_base_config(folder: Path) -> dict[str, Any]:
    """Reads the `config.json` of a resolved base model.

    Raises:
        InputError: It is not a JSON object.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if not isinstance(config, dict):
            raise ValueError("it is no object")
    except ValueError as error:
        raise InputError(
            "{file} is not JSON ({reason}); fetch the model again",
            field="base",
            file=folder / "config.json",
            reason=str(error),
        ) from error
    return config


def base_sizes(folder: Path) -> Sizes:
    """The sizes of a resolved base model's encoder.

    Raises:
        InputError: Its config.json states none that can be.
    """
    config = read_base_config(folder)
    return family_of(config, str(folder)).sizes(config, str(folder))


def check_masked_lm(folder: Path) -> None:
    """Raises InputError where a resolved base model has another masked-LM head than further pre-training trains."""
    if read_base_config(folder).get("tie_word_embeddings", True) is not True:
        raise InputError(
            "further_pretrain reads hidden words off the embeddings, and the base in {folder} has another table for "
            "that (tie_word_embeddings in its config.json); take another base or approach",
            field="approach",
            folder=folder,
        )


def check_pairs(folder: Path) -> None:
    """Raises InputError where a resolved base model tells two texts apart by token types, and has only one type."""
    if base_sizes(folder)["types"] == 1 and not family_of(read_base_config(folder), str(folder)).separators_part:
        raise InputError(
            "the base in {folder} cannot tell two texts apart (type_vocab_size is 1 in its config.json); set it to "
            "null, or choose another {base}, such as bert-base-uncased",
            field="text_pair_column",
            folder=folder,
        )


def _local_folder(base: str) -> Path | None:
    if base.startswith(PACKAGE_PREFIX):
        return package_folder(base)
    if (local := Path(base).expanduser()).is_dir():
        return local
    if base.startswith((".", "/", "~")):
        raise InputError("there is no folder {given!r}; name the folder that holds the model", field="base", given=base)
    return None


def _hub_folder(base: str, revision: str | None) -> Path:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        # With a limit of its own: snapshot_download asks without one.
        listed = HfApi().model_info(base, revision=revision, timeout=HUB_SECONDS).siblings
        files = {file.rfilename for file in listed or ()}
        small = Path(snapshot_download(base, revision=revision, allow_patterns=["config.json", *TOKENIZER_FILES]))
        if "config.json" in files:
            # Before gigabytes are fetched for nothing.
            family_of(read_base_config(small), repr(base))
        first = next((name for name in WEIGHT_FILES if name in files), None)
        if first is not None:
            shards = [first.partition(".")[0] + "-*"] if first.endswith(".index.json") else []
            snapshot_download(base, revision=revision, allow_patterns=[first, *shards])
        return small
    except HFValidationError as error:
        raise _no_name_of_a_base(base) from error
    except (HfHubHTTPError, OSError) as error:
        try:
            return Path(snapshot_download(base, revision=revision, local_files_only=True))
        except (LocalEntryNotFoundError, ValueError):
            raise _not_on_the_hub(base, revision, error) from error


def _no_name_of_a_base(base: str) -> InputError:
    return InputError(
        "{given!r} is neither a folder, nor {prefix}<package>/<folder>, nor a Hugging Face id",
        field="base",
        given=base,
        prefix=PACKAGE_PREFIX,
    )


def _not_on_the_hub(base: str, revision: str | None, error: Exception) -> InputError:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    if isinstance(error, RevisionNotFoundError):
        return InputError(
            "the Hugging Face hub has no revision {wanted!r} of {given!r}; check it",
            field="revision",
            wanted=revision,
            given=base,
        )
    near = nearest(base, KNOWN_NAMES, NEAR)
    meant = f"; did you mean {near!r}?" if near and near != base else ""
    at = f" at revision {revision!r}" if revision else ""
    if isinstance(error, GatedRepoError):
        why = "wants its terms accepted first; do so there, and set HF_TOKEN"
    elif isinstance(error, RepositoryNotFoundError):
        why = f"has no such model; check the name, or set HF_TOKEN if the model is private{meant}"
    else:
        why = (
            f"did not give it ({_reason(error)}); check name and network, name a folder that holds the model, or take "
            f"{PACKAGED_BASE}, which needs no hub{meant}"
        )
    return InputError(
        "{given!r}{at} is not a local folder, and the Hugging Face hub {why}", field="base", given=base, at=at, why=why
    )


def _check_folder(base: str, folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise InputError(
            "{given!r}: the folder {folder} has no config.json; it is not a Hugging Face model",
            field="base",
            given=base,
            folder=folder,
        )
    family_of(read_base_config(folder), repr(base))
    if not any((folder / name).is_file() for name in WEIGHT_FILES):
        raise InputError(
            "{given!r}: the folder {folder} has no safetensors or TensorFlow weights (one of {files}); save the model "
            "with safe_serialization=True",
            field="base",
            given=base,
            folder=folder,
            files=", ".join(WEIGHT_FILES),
        )


def _parts_of(folder: Path) -> list[str]:
    names = sorted(file.name for file in folder.iterdir())
    return [name for name in names if any(fnmatch.fnmatchcase(name, pattern) for pattern in _PARTS)]


def _reason(error: BaseException) -> str:
    """The first line of the innermost cause of an error: those of a connection are chained."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__

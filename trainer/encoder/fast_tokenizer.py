"""Gives a base that has a SentencePiece model alone the fast tokenizer that transformers makes of it.

The base's own folder stays as it is. The files of the fast tokenizer are kept in the user's cache folder, by the
content of what they are made of; beside them is, for each such base, a folder of links: its own files and these.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fullbake.contract.cache_folder import cache_folder
from fullbake.contract.errors import InputError
from fullbake.trainer.content_hash import hash_file, hash_names

SENTENCEPIECE_FILES = ("sentencepiece.bpe.model", "spiece.model", "spm.model")
"""A SentencePiece model, as CamemBERT's and XLM-RoBERTa's, ALBERT's, and DeBERTa's slow tokenizers call it."""

# With one of these no other tokenizer is made. The first is a fast one; the other is of WordPiece.
_OTHER_TOKENIZERS = ("tokenizer.json", "vocab.txt")

_CONFIG = "tokenizer_config.json"

# What a slow tokenizer is opened from, beside its model: the class, casing and special tokens are said there.
_SETTINGS_FILES = ("config.json", _CONFIG, "special_tokens_map.json", "added_tokens.json")

# Other releases of these may write other files of the same model.
_CONVERTERS = ("transformers", "tokenizers", "sentencepiece")


def with_fast_tokenizer(folder: Path, files: Iterable[str]) -> Path:
    """Returns a folder that holds the base and its fast tokenizer.

    Args:
        folder: The base model's folder.
        files: The names of what it is made of, as far as they are there.

    Returns:
        The folder itself where it has a tokenizer.json, or no SentencePiece model; otherwise a folder of links in the
        user's cache folder. The same files give the same content of it on every machine.

    Raises:
        InputError: transformers makes no fast tokenizer of the model, or there is no place for it.
    """
    names = {file.name for file in folder.iterdir()}
    models = names.intersection(SENTENCEPIECE_FILES)
    if not models or not names.isdisjoint(_OTHER_TOKENIZERS):
        return folder
    sources = sorted(models | names.intersection(_SETTINGS_FILES))
    made_of = hash_names([*_hashes(folder, sources), *((name, version(name)) for name in _CONVERTERS)])
    fast = _kept(Path("tokenizers") / made_of, lambda place: _convert(folder, sources, place))
    links = {name: (folder / name).absolute() for name in files if name in names}
    links |= {file.name: file for file in fast.iterdir()}
    listed = hashlib.sha256(json.dumps(sorted((name, str(file)) for name, file in links.items())).encode()).hexdigest()
    # It ends as the base's own folder does: messages name it.
    place = Path("bases") / listed[:16] / folder.absolute().name
    return _kept(place, lambda place: _link(links, place))


def _hashes(folder: Path, names: Iterable[str]) -> list[tuple[str, str]]:
    try:
        return [(name, hash_file(folder / name)) for name in names]
    except OSError as error:
        raise InputError(
            "{file} cannot be read: {reason}; fetch the model again",
            field="base",
            file=error.filename,
            reason=error.strerror,
        ) from error


def _convert(folder: Path, sources: Iterable[str], place: Path) -> None:
    """Writes the fast tokenizer's own files, without the model they are made of."""
    from transformers import AutoTokenizer  # here, for bases with a tokenizer.json need no second for it

    with tempfile.TemporaryDirectory(prefix="fullbake-tokenizer-") as slow:
        for name in sources:
            shutil.copyfile(folder / name, Path(slow) / name)
        try:
            if _CONFIG in sources and "auto_map" in json.loads((Path(slow) / _CONFIG).read_bytes()):
                raise ValueError(f"its tokenizer is code of its own, auto_map in {_CONFIG}, which is never run")
            AutoTokenizer.from_pretrained(slow, trust_remote_code=False).save_pretrained(place)
        except Exception as error:  # transformers and sentencepiece raise whatever they come upon, bare Exception too
            model = next(name for name in sources if name in SENTENCEPIECE_FILES)
            raise InputError(
                "transformers makes no fast tokenizer of {file} ({reason}); fetch the model again, or save its fast "
                "tokenizer beside it, as tokenizer.json",
                field="base",
                file=folder / model,
                reason=(str(error).strip() or type(error).__name__).splitlines()[0].replace(slow, str(folder)),
            ) from error
    for name in SENTENCEPIECE_FILES:
        (place / name).unlink(missing_ok=True)
    _drop_symbols(place)


def _drop_symbols(place: Path) -> None:
    """Leaves what SentencePiece calls user-defined symbols in the vocabulary alone.

    transformers adds them as tokens too, which part words: after ALBERT's `(` a word would begin. Neither the slow
    tokenizer nor the tokenizer.json that the hub has of such a model does that.
    """
    path = place / "tokenizer.json"
    if not path.is_file():  # no fast tokenizer is known to transformers; the reader of the files says so
        return
    content = json.loads(path.read_bytes())
    pieces = content["model"]["vocab"]
    inside = {piece for piece, *_ in pieces} if isinstance(pieces, list) else set(pieces)

    def stays(token: dict[str, Any]) -> bool:
        return bool(token["special"]) or token["content"] not in inside

    content["added_tokens"] = [token for token in content["added_tokens"] if stays(token)]
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    path = place / _CONFIG
    config = json.loads(path.read_bytes())
    named = config.get("added_tokens_decoder", {})
    config["added_tokens_decoder"] = {index: token for index, token in named.items() if stays(token)}
    path.write_text(json.dumps(config, ensure_ascii=False, indent=2, sort_keys=True), encoding="utf-8")


def _link(links: dict[str, Path], place: Path) -> None:
    for name, file in links.items():
        (place / name).symlink_to(file)


def _kept(place: Path, make: Callable[[Path], None]) -> Path:
    """Returns the folder of this name in the cache, which is made where it is not there.

    Args:
        place: Below the cache folder.
        make: Fills the empty folder it is given.
    """
    # The second for a container whose user has no home of his own.
    parents = (cache_folder(), Path(tempfile.gettempdir()) / f"fullbake-{os.getuid()}")
    for parent in parents:
        if (parent / place).is_dir() and _is_own(parent):
            return parent / place
    for parent in parents:
        try:
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            (parent / place).parent.mkdir(parents=True, exist_ok=True)
            unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=(parent / place).parent))
        except OSError:
            continue
        if not _is_own(parent):
            continue
        try:
            make(unfinished)
            unfinished.chmod(0o755)
            # Whole or not at all; another run may have been faster.
            if not (parent / place).is_dir():
                unfinished.rename(parent / place)
        except OSError:
            if not (parent / place).is_dir():
                raise
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return parent / place
    raise InputError(
        "there is no folder to keep the fast tokenizer of its SentencePiece model in; set XDG_CACHE_HOME to one that "
        "can be written to",
        field="base",
    )


def _is_own(folder: Path) -> bool:
    """Whether nobody else put the folder there: all may write to the one for temporary files."""
    found = folder.stat()
    return found.st_uid == os.getuid() or not folder.is_relative_to(tempfile.gettempdir())

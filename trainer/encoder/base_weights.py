"""Whether a base model's files hold every weight of its encoder. Reads their headers alone: quick, without TensorFlow.

transformers draws what is missing at random and goes on; a model made so would be wrong in silence.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from fullbake.contract.errors import InputError
from fullbake.trainer.encoder.base_model import WEIGHT_FILES, read_base_config
from fullbake.trainer.encoder.families import Family, family_of

_LONGEST_HEADER = 100_000_000  # of a safetensors file, by its format's specification
# Floating point. What is quantised to integers means nothing without its scales.
_KINDS = ("F64", "F32", "F16", "BF16")
# What a PyTorch file may hold beside the weights: numbers that follow from the config.
_BUFFERS = ("embeddings.position_ids", "embeddings.token_type_ids")
# The layers of the families' own classification heads.
_OLD_HEAD = re.compile(r"(pre_)?classifier\.")


class Kept(NamedTuple):
    """A weight as a file holds it.

    Attributes:
        name: What the file calls it.
        shape: As PyTorch has it.
    """

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class BaseWeights:
    """What the weight files of a base model hold, by their headers.

    Attributes:
        file: The file that transformers opens.
        encoder: The weights of the encoder, by PyTorch's name without the family's prefix.
        others: The names of all others, such as a head's.
    """

    file: Path
    encoder: Mapping[str, Kept]
    others: frozenset[str]

    @property
    def has_pooler(self) -> bool:
        """Whether the encoder's pooler is among them."""
        return any(name.startswith("pooler.") for name in self.encoder)

    @property
    def has_classification_head(self) -> bool:
        """Whether a head of Hugging Face's `*ForSequenceClassification` is among them."""
        return any(_OLD_HEAD.match(name) for name in self.others)


def check_weights(folder: Path, *, pooler: bool = False) -> BaseWeights:
    """Makes sure that a base model's files hold its encoder as its config.json describes it.

    Args:
        folder: The resolved base model.
        pooler: Whether its pooler is needed too, if its family has one.

    Raises:
        InputError: A file is damaged or cut off, or weights are missing, of another shape, or too many.
    """
    config = read_base_config(folder)
    family = family_of(config, str(folder))
    sizes = family.sizes(config, str(folder))
    found = read_weights(folder, family)
    wanted = family.shapes(sizes)
    missing = [name for name in wanted if name not in found.encoder]
    if missing:
        refuse_missing(found.file, missing, len(wanted), _example(found))
    if pooler and family.pooler and not found.has_pooler:
        raise InputError(
            "the base in {folder} has no pooler, which head hf reads: it would be drawn at random; set {head} to "
            "linear, or choose another base",
            field="head",
            folder=folder,
        )
    for name, shape in {**wanted, **family.pooler_shapes(sizes)}.items():
        kept = found.encoder.get(name)
        if kept is not None and kept.shape != shape:
            raise InputError(
                "{weight} has the shape {has}, and by config.json it is {wanted}; the two are not of one model: fetch "
                "both again",
                field="base",
                weight=f"{kept.name} in {found.file}",
                has=_shape(kept.shape),
                wanted=_shape(shape),
            )
    known = {*wanted, *family.pooler_shapes(sizes), *_BUFFERS}
    surplus = [kept.name for name, kept in found.encoder.items() if name not in known]
    if surplus:
        raise InputError(
            "{file} holds {count} weights that an encoder as config.json describes it has no place for ({some}); the "
            "two are not of one model: fetch both again, or save the model with save_pretrained",
            field="base",
            file=found.file,
            count=len(surplus),
            some=_some(surplus),
        )
    return found


def old_head_note(folder: Path, key: str = "base") -> str | None:
    """A sentence for people where a base model, set by this key, carries a head, which is left out, else None."""
    config = read_base_config(folder)
    if not read_weights(folder, family_of(config, str(folder))).has_classification_head:
        return None
    labels = config.get("id2label")
    of = f" (for {_some([str(label) for label in labels.values()])})" if isinstance(labels, dict) and labels else ""
    return f"{key}: it carries an earlier task's classification head{of}, which is left out: a new one is trained"


def refuse_missing(file: Path, missing: Iterable[str], count: int, example: str | None = None) -> NoReturn:
    """Raises InputError that names the encoder's missing weights.

    Args:
        file: Where they should be.
        missing: Their names.
        count: How many weights the encoder has.
        example: A name that the file holds instead.
    """
    names = list(missing)
    instead = f"it holds {example}, for one; " if example else ""
    raise InputError(
        "{absent} of the encoder's {count} weights are not in {file} ({some}) and would be drawn at random; {instead}"
        "save the whole model with save_pretrained of transformers, or choose another base",
        field="base",
        absent=len(names),
        count=count,
        file=file,
        some=_some(names),
        instead=instead,
    )


def plain_name(name: str, family: Family) -> str:
    """PyTorch's name of a weight without the family's prefix, from what PyTorch or TensorFlow calls it."""
    if "/" in name:
        name = _from_tensorflow(name)
    return name.removeprefix(f"{family.prefix}.")


def read_weights(folder: Path, family: Family) -> BaseWeights:
    """Reads the headers of a base model's weight files.

    Raises:
        InputError: A file is missing, damaged, cut off, or of a kind that transformers cannot read.
    """
    # In transformers' order: it opens the first that is there.
    file = next(folder / name for name in WEIGHT_FILES if (folder / name).is_file())
    roots = {name.partition(".")[0] for name in family.shapes(family.sizes({}, ""))} | {"pooler", "embeddings_project"}
    prefix = f"{family.prefix}."
    encoder: dict[str, Kept] = {}
    others: set[str] = set()
    for shard in _shards(file):
        held = dict(_read_safetensors(shard) if shard.suffix == ".safetensors" else _read_h5(shard))
        # As transformers does: a file without the prefix is one of a bare encoder.
        prefixed = any(name.startswith(family.prefix) for name in held)
        for name, kept in held.items():
            bare = name.removeprefix(prefix)
            if (name.startswith(prefix) or not prefixed) and bare.partition(".")[0] in roots:
                encoder[bare] = kept
            else:
                others.add(name)
    return BaseWeights(file, encoder, frozenset(others))


def _example(found: BaseWeights) -> str | None:
    """A name that looks like one of the encoder's, but is not where transformers looks for it."""
    return next((name for name in sorted(found.others) if "embeddings" in name or ".layer." in name), None)


def _shards(file: Path) -> list[Path]:
    if file.suffix != ".json":
        return [file]
    try:
        names = sorted(set(json.loads(file.read_text(encoding="utf-8"))["weight_map"].values()))
        shards = [file.parent / Path(name).name for name in names]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            "{file} is no index of weights ({why}); fetch the model again", field="base", file=file, why=repr(error)
        ) from error
    for shard in shards:
        if not shard.is_file():
            raise InputError(
                "{file} names {it}, which is not there; fetch the model again", field="base", file=file, it=shard.name
            )
    return shards


def _read_safetensors(file: Path) -> Iterator[tuple[str, Kept]]:
    size = os.path.getsize(file)
    with file.open("rb") as opened:
        start = opened.read(8)
        if start.startswith(b"version "):
            raise InputError(
                "{file} is only a pointer of Git LFS to the weights; fetch them with: git lfs pull",
                field="base",
                file=file,
            )
        length = int.from_bytes(start, "little")
        if len(start) < 8 or length > min(size - 8, _LONGEST_HEADER):
            _refuse_damaged(file)
        try:
            header: dict[str, Any] = json.loads(opened.read(length))
            about = header.pop("__metadata__", None) or {}
            ends = [entry["data_offsets"][1] for entry in header.values()]
            shapes = {name: tuple(entry["shape"]) for name, entry in header.items()}
            kinds = {name: entry["dtype"] for name, entry in header.items()}
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            _refuse_damaged(file)
    if 8 + length + max(ends, default=0) != size:
        _refuse_damaged(file)
    # transformers' TensorFlow classes refuse a file that does not say whose names it has.
    if about.get("format") not in ("pt", "tf"):
        raise InputError(
            "{file} does not say whose names its weights have (its metadata's format is {format!r}, not 'pt' or "
            "'tf'); save the model with save_pretrained",
            field="base",
            file=file,
            format=about.get("format"),
        )
    for name, kind in kinds.items():
        if kind not in _KINDS and not name.endswith("_ids"):
            raise InputError(
                "{name} in {file} is of kind {kind}, not floating point; a quantised model cannot be fine-tuned: "
                "choose the model it was made of",
                field="base",
                name=name,
                file=file,
                kind=kind,
            )
    for name, shape in shapes.items():
        if about["format"] == "tf":
            yield _from_tensorflow(name), Kept(name, _untransposed(name, shape))
        else:
            # Names from before PyTorch 1.0, which transformers still takes.
            yield name.replace("gamma", "weight").replace("beta", "bias"), Kept(name, shape)


def _read_h5(file: Path) -> Iterator[tuple[str, Kept]]:
    import h5py

    found: list[tuple[str, tuple[int, ...]]] = []

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found.append((name, item.shape))

    try:
        with h5py.File(file) as opened:
            opened.visititems(note)
    except (OSError, RuntimeError):
        _refuse_damaged(file)
    # A whole file has them below the layer's and the model's name: bert/tf_bert_model/bert/embeddings/...
    depth = 2 if file.name == "tf_model.h5" else 0
    for name, shape in found:
        inside = "/".join(name.split("/")[depth:])
        yield _from_tensorflow(inside), Kept(inside, _untransposed(name, shape))


def _from_tensorflow(name: str) -> str:
    *parts, last = name.removesuffix(":0").replace("_._", "/").split("/")
    return ".".join(
        [*parts, {"kernel": "weight", "gamma": "weight", "embeddings": "weight", "beta": "bias"}.get(last, last)]
    )


def _untransposed(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[::-1] if name.removesuffix(":0").endswith("kernel") else shape


def _refuse_damaged(file: Path) -> NoReturn:
    raise InputError("{file} is damaged or cut off; fetch the model again", field="base", file=file) from None


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")

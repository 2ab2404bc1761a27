"""Everything about a config that can be found wrong before the first component starts, and before TFX is imported."""

from __future__ import annotations

import fnmatch
import glob
import gzip
import os
import re
import zlib
from pathlib import Path
from typing import BinaryIO, cast

from components.csv_rows import CsvFormat, check_header
from components.tokenizer_files import check_wordpiece
from pipeline.config import Config
from trainer.base_model import read_base_config, resolve_base
from trainer.errors import InputError

_MARKER = r"\{[A-Z]+(:\d+)?\}"  # TFX's {SPAN}, {VERSION:2}, {YYYY} and so on


def csv_format(config: Config) -> CsvFormat:
    """How the config says that its files are to be read."""
    data = config.data
    return CsvFormat(
        text_column=data.text_column,
        label_column=data.label_column,
        labels=data.labels,
        text_pair_column=data.text_pair_column,
        label_map=data.label_map,
        delimiter=data.delimiter,
        encoding=data.encoding,
    )


def check_inputs(config: Config) -> None:
    """Looks at the data files' headers and at the base model.

    Raises:
      InputError: no file, an empty one, a column that is not there, or a base model that is not there or cannot be
        used with this config.
    """
    _check_data(config)
    _check_base(config)


def _check_data(config: Config) -> None:
    data = config.data
    if "://" in data.input_base:
        return  # only TensorFlow's and Beam's file systems can look there; ExampleGen does
    if not os.path.isdir(data.input_base):
        remedy = (
            "name the folder and give the file's name as data.pattern"
            if os.path.isfile(data.input_base)
            else ("name a folder of CSV files; a relative path starts at the current directory")
        )
        raise InputError(f"data.input_base: {data.input_base!r} is not a folder; {remedy}")
    # TFX's markers {SPAN}, {VERSION}, {YYYY} and so on stand for whatever is there.
    pattern = re.sub(_MARKER, "*", data.pattern)
    files = sorted(name for name in glob.glob(os.path.join(data.input_base, pattern)) if os.path.isfile(name))
    files = [name for name in files if not os.path.basename(name).startswith((".", "_"))]
    if not files:
        raise InputError(
            f"data.pattern: no file in {data.input_base!r} matches {data.pattern!r}; check both, or put a CSV there"
        )
    for name in _newest(files, os.path.join(data.input_base, data.pattern)):
        shown = os.path.relpath(name, data.input_base)
        try:
            with gzip.open(name) if name.endswith(".gz") else open(name, "rb") as stream:
                check_header(cast(BinaryIO, stream), shown, csv_format(config))
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"data.input_base: {shown} cannot be read: {error}; mend it, or take it away") from error


def _newest(files: list[str], pattern: str) -> list[str]:
    # Of spans and their versions only the newest is read; an older one may have had other columns.
    numbered = re.compile(fnmatch.translate(re.sub(_MARKER, "MARKER", pattern)).replace("MARKER", r"(\d+)"))
    numbers = {name: tuple(map(int, match.groups())) for name in files if (match := numbered.match(name))}
    return [name for name in files if numbers.get(name) == max(numbers.values())] if numbers else files


def _check_base(config: Config) -> None:
    folder: Path = resolve_base(config.model.base, config.model.revision)
    check_wordpiece(folder)
    longest = read_base_config(folder).get("max_position_embeddings")
    if longest is not None and config.model.max_length > longest:
        raise InputError(
            f"model.max_length: {config.model.max_length} is more than the {longest} positions that "
            f"{config.model.base} has; set it to {longest} or less"
        )

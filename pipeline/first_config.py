"""A first config for a CSV file: what `fullbake init` makes."""

import codecs
import contextlib
import gzip
import itertools
import os
import re
import unicodedata
import zlib
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO, cast

import yaml

from fullbake.components.data.csv_quoting import STANDARD
from fullbake.components.data.csv_records import (
    KEEP_UNDECODABLE,
    BadRow,
    LineCount,
    Quoting,
    Record,
    WrongKindError,
    decoded,
    read_records,
)
from fullbake.components.data.csv_rows import MOST_LABELS, CsvFormat, check_header, quoting_of, read_rows
from fullbake.components.data.same_text import row_digest_of
from fullbake.components.evaluation.wilson import CONFIDENCE, rows_needed
from fullbake.contract.errors import InputError
from fullbake.pipeline.config.data_config import UNPRINTABLE

DELIMITERS = (",", "\t", ";", "|")
"""What is tried between fields, in this order."""

LONGEST_LABEL = 500
"""Characters; a longer value is no class, and a key of YAML has at most 1,024 (YAML 1.2, 7.4.2)."""

MAX_BAD_FRACTION = 0.01
"""The config's own default: up to this share of bad rows is quarantined, more needs a look at the file."""

MAX_LENGTH = 512
"""The positions BERT and DistilBERT have (Devlin et al. 2018)."""

COVERED = 0.99
"""The share of texts that must fit whole: doubling the length more than doubles the work, for the few longest."""

SKEW = 0.25
"""The rarest class is weighted up when it has less than this part of what it would have if all were equally frequent.

At 6% of three classes (a skew of 0.17) an unweighted MiniLM found only 4 in 10 of the rarest class; at the mildest
skews weights cost more precision than they win recall.
"""

MIN_RECALL = 0.5
"""Bound for each of three or more labels: far above chance, and one a usable classifier passes on every class."""

MIN_RECALL_OF_TWO = 0.6
"""Bound for each of two labels, where chance alone gives 0.5."""

# WordPiece without its vocabulary: up to five letters, up to two digits, or any other character make a piece. The 99th
# percentile of two English files is 78 and 63 this way (tweets, questions to a bank); bert-base-uncased's vocabulary
# gives 82 and 53. Scripts an English vocabulary spells out letter by letter are counted letter by letter.
_PIECE = re.compile(r"[a-zA-Z]{1,5}|[0-9]{1,2}|[^\sa-zA-Z0-9]")

_LENGTH_STEP = 16  # lengths that are a multiple of it suit the matrix units of GPUs
_TEST_SHARE = 0.1  # of the split 8 : 1 : 1
_FEW_IN_TEST = 3
_CP1252_UNDEFINED = set(b"\x81\x8d\x8f\x90\x9d")


def sketch_config(
    path: str | os.PathLike[str], text_column: str, label_column: str, text_pair_column: str | None = None
) -> str:
    """Makes a config from a CSV file: labels and their balance, a maximum length that fits, bounds for the gate.

    Delimiter and encoding are found out: the delimiter is the one that gives the header the columns asked for; the
    encoding is what a byte-order mark says, else UTF-8 if most of what is not ASCII decodes, else Windows-1252.
    Labels are sorted, whole numbers by value, so that more data of the same kind gives the same class indices. The
    length is an estimate without a vocabulary, the 99th percentile rounded up to a multiple of 16. Class weights,
    bounds and the treatment of bad rows follow `SKEW`, `MIN_RECALL`, `MIN_RECALL_OF_TWO` and `MAX_BAD_FRACTION`.

    Args:
        path: The CSV file, or a gzipped one whose name ends in `.gz`.
        text_column: Header of the column with the text.
        label_column: Header of the column with the label.
        text_pair_column: Header of the column with the second text of a pair; None for single texts.

    Returns:
        The config as YAML with comments.

    Raises:
        InputError: The file cannot be read, lacks a column, has no usable row, or its labels are no classes.
    """
    path = os.fspath(path)
    if os.path.isdir(path):
        raise InputError(f"{path} is a folder; name one of its CSV files")
    try:
        fmt = _sniff(path, CsvFormat(text_column, label_column, (), text_pair_column))
        survey = _survey(path, fmt)
    except WrongKindError as error:
        raise InputError(f"{path} {error}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: the file cannot be read: {getattr(error, 'strerror', None) or error}") from error
    _check_classes(survey, fmt)
    return "\n".join(_config_lines(path, fmt, survey)) + "\n"


@dataclass
class _Survey:
    """What is in the file.

    Attributes:
        labels: Label -> rows.
        lengths: Estimated tokens -> rows.
        reasons: Kind of reason -> bad rows.
        first_bad: The first bad row: line and reason.
        quoting: What the file's quotes mean.
        lines: Physical lines, in all and those that are no rows.
        used_lines: Lines of the rows that can be used.
        rejected_lines: Lines of the bad rows.
        repeats: What repeats or contradicts an earlier row, in words.
    """

    labels: Counter[str] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    first_bad: str = ""
    quoting: Quoting = STANDARD
    lines: LineCount = field(default_factory=LineCount)
    used_lines: int = 0
    rejected_lines: int = 0
    repeats: list[str] = field(default_factory=list)

    @property
    def used(self) -> int:
        return sum(self.labels.values())

    @property
    def bad(self) -> int:
        return sum(self.reasons.values())


@contextlib.contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    with open(path, "rb") as stream:
        yield cast(BinaryIO, gzip.GzipFile(fileobj=stream)) if path.endswith(".gz") else stream


def _sniff(path: str, fmt: CsvFormat) -> CsvFormat:
    """Returns the format with the file's own encoding and delimiter, having checked the header."""
    with _opened(path) as stream:
        decoded(stream, "utf-8")  # says if it is of another format
    with _opened(path) as stream:
        encoding = _sniff_encoding(stream)
    columns = {}
    for delimiter in DELIMITERS:
        with _opened(path) as stream:
            header = next(read_records(stream, delimiter, encoding), None)
        columns[delimiter] = {title.strip() for title in header.fields} if isinstance(header, Record) else set()
    wanted = {column.strip() for column in (fmt.text_column, fmt.label_column, fmt.text_pair_column) if column}
    delimiter = max(DELIMITERS, key=lambda delimiter: (len(wanted & columns[delimiter]), len(columns[delimiter])))
    fmt = replace(fmt, delimiter=delimiter, encoding=encoding)
    with _opened(path) as stream:
        check_header(stream, os.path.basename(path), fmt)
    return fmt


def _sniff_encoding(stream: BinaryIO) -> str:
    chunk = stream.read(2**20)
    if chunk.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # Letters of a header without a byte-order mark: three of four bytes are zero, or every other.
    if chunk[1:4] == b"\0\0\0" or chunk[0:3] == b"\0\0\0":
        return "utf-32-le" if chunk[1] == 0 and chunk[0] else "utf-32-be"
    if chunk[1:4:2] == b"\0\0" or chunk[0:3:2] == b"\0\0":
        return "utf-16-le" if chunk[1] == 0 else "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")(KEEP_UNDECODABLE)
    good = bad = 0
    seen: set[int] = set()
    while chunk:
        text = decoder.decode(chunk)
        if not text.isascii():
            undecodable = sum(map(len, re.findall("[\udc00-\udcff]+", text)))
            bad += undecodable
            good += len(text) - len(text.encode("ascii", "ignore")) - undecodable
            seen.update(chunk)
        chunk = stream.read(2**20)
    if bad <= good:
        return "utf-8"
    return "latin-1" if seen & _CP1252_UNDEFINED else "cp1252"


def _survey(path: str, fmt: CsvFormat) -> _Survey:
    import numpy as np  # here, for no error should wait for it

    from fullbake.components.data.repeats import find_repeats

    name = os.path.basename(path)
    survey = _Survey(quoting=quoting_of(lambda: _opened(path), name, fmt))
    # Some bytes of each row: a digest of its text, the number of its label, and its line.
    digests, label_numbers, lines = array("Q"), array("H"), array("Q")
    numbers: dict[str, int] = {}
    with _opened(path) as stream:
        for row in read_rows(stream, name, fmt, quoting=survey.quoting, count=survey.lines):
            if isinstance(row, BadRow):
                survey.first_bad = survey.first_bad or f"line {row.line}: {row.reason}"
                survey.reasons[row.kind] += 1
                survey.rejected_lines += row.lines
                continue
            survey.labels[row.label] += 1
            survey.lengths[_estimate_tokens(row.text, row.text_pair)] += 1
            survey.used_lines += row.lines
            if len(survey.labels) > MOST_LABELS:
                return survey
            digests.append(int.from_bytes(row_digest_of(row.text, row.text_pair), "big"))
            label_numbers.append(numbers.setdefault(row.label, len(numbers)))
            lines.append(row.line)
    labels = list(numbers)

    def named(row: int, with_label: bool) -> str:
        return f"line {lines[row]}" + (f" ({labels[label_numbers[row]]!r})" if with_label else "")

    found = find_repeats(np.array(digests, np.uint64), np.array(label_numbers, np.uint16), named)
    survey.repeats = found[0].in_words()
    return survey


def _estimate_tokens(text: str, text_pair: str | None) -> int:
    """Returns about how many tokens WordPiece makes of a text or a pair, [CLS] and [SEP]s included."""
    texts = (text,) if text_pair is None else (text, text_pair)
    return 1 + sum(1 + sum(1 for _ in _PIECE.finditer(part)) for part in texts)  # one by one: a text may be long


def _check_classes(survey: _Survey, fmt: CsvFormat) -> None:
    where = f"data.label_column: column {fmt.label_column!r}"
    if not survey.used:
        raise InputError(f"data: none of the {survey.bad:,} rows can be used; {survey.first_bad}")
    if len(survey.labels) > MOST_LABELS:
        raise InputError(f"{where} has more than {MOST_LABELS:,} different values, so it is no class; name another")
    longest = max(survey.labels, key=len)
    if len(longest) > LONGEST_LABEL:
        raise InputError(
            f"{where} has a value of {len(longest):,} characters, {longest[:20]!r} and so on, which is no class; "
            "correct the row, or name another column"
        )
    if survey.used >= 10 and len(survey.labels) > survey.used / 2:
        raise InputError(
            f"{where} has {len(survey.labels):,} different values in {survey.used:,} rows, so it is no class; "
            "name another"
        )
    if len(survey.labels) == 1:
        raise InputError(f"{where} has one value only, {next(iter(survey.labels))!r}; two classes are the least")


def _config_lines(path: str, fmt: CsvFormat, survey: _Survey) -> Iterator[str]:
    labels = _in_order(survey.labels)
    names = _names(labels)
    even = survey.used / len(labels)
    rarest = min(survey.labels.values()) / even
    fitting = _percentile(survey.lengths, COVERED)
    max_length = min(MAX_LENGTH, -(-fitting // _LENGTH_STEP) * _LENGTH_STEP)
    # A pattern has no escapes, but a question mark stands for any character.
    folder, name = os.path.split(path)
    pattern = re.sub(r"[*{}\[\]]", "?", name)
    yield f"# Made by `fullbake init` from {name!r}, {survey.used:,} usable rows. Check it, then:"
    yield "#   fullbake run CONFIG"
    yield f"name: {_scalar(_slug(path))}"
    yield "data:"
    yield f"  input_base: {_scalar(folder or '.')}"
    yield f"  pattern: {_scalar(pattern)}"
    yield f"  text_column: {_scalar(fmt.text_column)}"
    if fmt.text_pair_column is not None:
        yield f"  text_pair_column: {_scalar(fmt.text_pair_column)}"
    yield f"  label_column: {_scalar(fmt.label_column)}"
    yield f"  labels:  # {len(labels)} classes, in the order of their index; an even share is {1 / len(labels):.1%}"
    for label in labels:
        count = survey.labels[label]
        few = (
            ""
            if count * _TEST_SHARE >= _FEW_IN_TEST
            else f"; few: about {count * _TEST_SHARE:.1f} will be in the test split"
        )
        yield f"    - {_scalar(names[label])}  # {count:,} rows, {count / survey.used:.1%}{few}"
    if mapped := [label for label in labels if names[label] != label]:
        yield "  label_map:  # what tables and logs cannot show has another name"
        yield from (f"    {_scalar(label)}: {_scalar(names[label])}" for label in mapped)
    yield f"  delimiter: {_scalar(fmt.delimiter)}"
    yield f"  encoding: {_scalar(fmt.encoding)}"
    if survey.quoting.ordinary:
        yield "  quoting: none  # double quotes are characters like any other here: else they would join rows"
    yield from _bad_row_lines(survey)
    yield from (f"  # {said}" for said in survey.repeats)
    if survey.repeats:
        yield "  # on_duplicate: drop would use the first of equal rows, on_conflict: drop no text with several labels"
    yield "model:"
    yield "  base: distilbert-base-uncased"
    yield "  approach: fine_tune"
    yield (
        f"  max_length: {max_length}  # tokens, estimated: {COVERED:.0%} of the texts have {fitting:,} or fewer, "
        f"half have {_percentile(survey.lengths, 0.5):,}, the longest has {max(survey.lengths):,}"
    )
    yield "training:"
    yield "  epochs: 3"
    yield (
        f"  class_weights: {'balanced' if rarest < SKEW else 'none'}"
        f"  # the rarest class has {rarest:.0%} of an even share; balanced below {SKEW:.0%}"
    )
    yield "gate:"
    yield "  min_recall:  # a start: a model is pushed only if it finds this part of each class in the test split"
    bound = MIN_RECALL_OF_TWO if len(labels) == 2 else MIN_RECALL
    needed = rows_needed(bound, CONFIDENCE)
    for label in labels:
        rows = survey.labels[label] * _TEST_SHARE
        few = (
            f"  # about {rows:.1f} test rows, and to show it with {CONFIDENCE:.0%} confidence takes {needed}"
            if needed and rows < needed
            else ""
        )
        yield f"    {_scalar(names[label])}: {bound}{few}"


def _bad_row_lines(survey: _Survey) -> Iterator[str]:
    if not survey.bad:
        yield "  on_bad_row: fail  # every row of the file can be used"
        return
    reasons = ", ".join(f"{count:,} x {kind}" for kind, count in survey.reasons.most_common())
    share = survey.bad / (survey.bad + survey.used)
    yield f"  # {survey.bad:,} rows ({share:.2%}) cannot be used: {reasons}"
    yield f"  # the first is on {survey.first_bad}"
    if share <= MAX_BAD_FRACTION:
        yield "  on_bad_row: quarantine  # they are written aside with the reason"
        yield f"  max_bad_fraction: {MAX_BAD_FRACTION}"
    else:
        yield "  on_bad_row: fail  # too many to leave out unseen: mend them, or set quarantine and max_bad_fraction"


def _in_order(labels: Counter[str]) -> list[str]:
    if all(re.fullmatch(r"[+-]?[0-9]+", label) for label in labels):
        return sorted(labels, key=lambda label: (int(label), label))
    return sorted(labels)


def _names(labels: list[str]) -> dict[str, str]:
    """Returns a name for each label: its own, but for line breaks and control characters, which no label may have."""
    names: dict[str, str] = {}
    for label in labels:
        if not any(unicodedata.category(char) in UNPRINTABLE for char in label):
            names[label] = label
            continue
        shown = "".join(" " if unicodedata.category(char) in UNPRINTABLE else char for char in label)
        base = " ".join(shown.split()) or "unnamed"
        candidates = itertools.chain([base], (f"{base} {number}" for number in itertools.count(2)))
        names[label] = next(name for name in candidates if name not in labels and name not in names.values())
    return names


def _percentile(lengths: Counter[int], part: float) -> int:
    """Returns the least length that this part of the rows does not exceed."""
    rows = 0
    for length in sorted(lengths):
        rows += lengths[length]
        if rows >= part * lengths.total():
            break
    return length


def _slug(path: str) -> str:
    stem = os.path.basename(path).removesuffix(".gz").rsplit(".", 1)[0]
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") or "run"


def _scalar(value: str) -> str:
    """Returns YAML for a string: bare where it is a plain word that YAML reads as this very string, else quoted."""
    if re.fullmatch(r"[\w./][\w./-]*( [\w./-]+)*", value) and yaml.safe_load(value) == value:
        return value
    return yaml.safe_dump(value, default_style='"', allow_unicode=True, width=float("inf")).strip()

"""Finds out how a CSV file is written, by reading its start in several ways and weighing what each loses."""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from fullbake.components.data.data_files import Opened
from fullbake.components.data.dialect import NUMBERED, Dialect
from fullbake.components.data.readers.csv_headerless import by_number, check_header, name_columns, titles_of
from fullbake.components.data.readers.csv_sample import Reading, Sample, read_sample, read_under
from fullbake.components.data.readers.line_patterns import find_pattern
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.text_encoding import decoded, find_encoding
from fullbake.contract.errors import InputError

DELIMITERS = (
    ",",
    "\t",
    ";",
    "|",
    " ||| ",
    "|||",
    "||",
    " | ",
    "::",
    ";;",
    "\t\t",
    ",,",
    " +++$+++ ",
    "^",
    "~",
    "\x01",
    "@",
)
"""What is tried between fields, in this order; what stands between the names of wanted columns is tried, too."""

COMMENT_PREFIXES = ("#", "%", "//", "--")

_EXCEL_LINE = re.compile(r"sep=([^\r\n])\r?\n?")
_NUMBER = re.compile(r"[+-]?[0-9.,eE+-]+")
_LINES_BEFORE_HEADER = 10
_TITLES_LOOKED_AT = 5  # of wanted columns, for what stands between them; of labels there may be a thousand
_TITLE_BETWEEN = re.compile(r"[,;|\t ]\w+[,;|\t ]")  # another column's
_SURE = 3  # rows that show a habit; fewer may be chance


@dataclass(frozen=True)
class FoundDialect:
    """How a file is written.

    Attributes:
        fmt: Its format: what was asked for, with the dialect; where the columns were asked for by number, with their
            names.
        notes: What people should know of it, a sentence each, without its stop.
    """

    fmt: RowFormat
    notes: tuple[str, ...] = ()


def find_dialect(opened: Opened, fmt: RowFormat) -> FoundDialect:
    """Returns the format with the dialect that a file has, wanted columns named by their titles or by number.

    The start of the file, a million characters, is read in each way that its characters allow. That which loses the
    fewest lines has it, of equals the simplest. Nothing is said of `quoting`, which is found out for each file. A file
    without a header, or with lines of a well-known pattern, is recognised by its rows.

    Args:
        opened: Opens the file's bytes; it is called several times.
        fmt: Names the wanted columns.

    Raises:
        WrongKindError: The file is no CSV.
        InputError: Its first line is a row like the others, and the columns were asked for by name.
    """
    with opened() as stream:
        decoded(stream, "utf-8")  # says if it is of another format
    with opened() as stream:
        encoding = find_encoding(stream)
    sample = read_sample(opened, encoding)
    fmt = replace(fmt, dialect=Dialect(encoding=encoding))
    wanted = _wanted(fmt)
    choice = best_choice(sample, Dialect(), wanted, labelled=fmt.labelled)
    if choice is not None:
        return found_dialect(sample, choice, fmt)
    if (found := find_pattern(sample, fmt)) is not None:
        return FoundDialect(found, ("no delimiter parts text and label, but a pattern does",))
    numbered = Dialect(columns=NUMBERED)
    if not by_number(fmt):
        check_header([choice.best for choice in _choices(sample, numbered, ["1", "2"], labelled=False)], fmt)
        return FoundDialect(replace(fmt, dialect=replace(fmt.dialect, delimiter=likeliest_delimiter(sample, wanted))))
    choice = best_choice(sample, numbered, wanted, labelled=fmt.labelled)
    if choice is None:
        raise InputError(
            "no delimiter gives the file columns of the numbers {numbers}, counted from 1; correct them, or name "
            "columns by their titles",
            field="text_column",
            numbers=", ".join(wanted),
        )
    header = titles_of(choice.best, fmt)
    if header is not None:
        return find_dialect(opened, header)
    return found_dialect(sample, choice, name_columns(choice.best, fmt), "there is no header, so the columns get names")


def found_dialect(sample: Sample, choice: "Choice", fmt: RowFormat, *notes: str) -> FoundDialect:
    """Returns the format with the dialect that was chosen, and what people should know of it beside these notes."""
    dialect = replace(choice.best.completed(), encoding=sample.encoding, columns=fmt.dialect.columns)
    if choice.best.ordinary_quotes and dialect.escape_character is not None:
        dialect = replace(dialect, quoting="none")  # escaped quotes are no evidence for `find_quoting`
    return FoundDialect(replace(fmt, dialect=dialect), (*notes, *dict.fromkeys(_doubts(sample, choice))))


def likeliest_delimiter(sample: Sample, wanted: Sequence[str]) -> str:
    """Returns the delimiter that gives the first line most of the wanted columns, for an error about the others."""
    lines = sample.lines() or [""]

    def found(delimiter: str) -> tuple[int, int]:
        titles = {title.strip().strip('"') for title in lines[0].split(delimiter)}
        return len(titles & set(wanted)), len(titles)

    return max(DELIMITERS, key=found)


def best_choice(
    sample: Sample, base: Dialect, wanted: list[str], *, labelled: bool, delimiters: Sequence[str] = ()
) -> "Choice | None":
    """Returns the best way to read a file; None if none finds the wanted columns.

    Args:
        sample: The start of the file.
        base: What is known of its dialect. Delimiter, marks and spaces are found out, and quoting where it is "auto".
        wanted: The titles of the wanted columns; if labelled, that of the labels is the last.
        labelled: Whether there are labels, by which a row is known.
        delimiters: What is tried between fields; by default all that are known.
    """
    choices = _choices(sample, base, wanted, delimiters, labelled=labelled)
    several = [choice for choice in choices if len(choice.best.titles) > 1]
    return min(several or choices, key=lambda choice: (choice.best.loss, _unnamed(choice.best)), default=None)


def _unnamed(reading: Reading) -> int:
    """Of a file without a header, of two delimiters that lose nothing the one with more columns is it."""
    return 0 if reading.dialect.columns is None else -len(reading.titles)


def _choices(
    sample: Sample, base: Dialect, wanted: list[str], delimiters: Sequence[str] = (), *, labelled: bool
) -> "list[Choice]":
    """Returns the best way for each delimiter that finds the wanted columns."""
    delimiters = delimiters or list(known_delimiters(sample, wanted))
    for prefix in (None, *(prefix for prefix in COMMENT_PREFIXES if sample.text.lstrip().startswith(prefix))):
        bases = [replace(base, delimiter=found, comment_prefix=prefix) for found in delimiters]
        choices = [choice for base in bases if (choice := _choose(sample, base, wanted, labelled=labelled))]
        if choices:
            return choices
    return []


def _wanted(fmt: RowFormat) -> list[str]:
    """Returns the wanted titles; a label's is the last."""
    wanted = sorted(fmt.wanted, key=lambda found: fmt.labelled and found[0] == fmt.setting_of_labels)
    return [column.strip() for _, column in wanted]


def known_delimiters(sample: Sample, wanted: Sequence[str]) -> Iterator[str]:
    """Yields what may part the fields: first the longer of two of which one is in the other."""
    if said := _EXCEL_LINE.match(sample.text):
        yield said[1]
    between = set()
    titles = dict.fromkeys([*wanted[:_TITLES_LOOKED_AT], *wanted[-1:]])
    for one, other in itertools.permutations(map(re.escape, titles), 2):
        for line in sample.lines()[:_LINES_BEFORE_HEADER]:
            if found := re.search(rf"{one}[\"']?(\W+|\W\w+\W)[\"']?{other}", line):
                between.add(found[1].strip("\"'"))
    known = {delimiter + space for delimiter in DELIMITERS for space in ("", " ")}
    yield from sorted(found for found in between - known if found.strip() and not _TITLE_BETWEEN.fullmatch(found))
    yield from sorted(DELIMITERS, key=len, reverse=True)


class Choice(NamedTuple):
    """The best way to read a file that has a delimiter, and other ways that lose no more."""

    best: Reading
    as_good: list[Reading]


def _choose(sample: Sample, base: Dialect, wanted: list[str], *, labelled: bool) -> Choice | None:
    """Returns the best way, of those of which the file has any signs; None if none finds the wanted columns."""
    plain = read_under(sample, base, wanted, labelled=labelled, ordinary_quotes=base.quoting == "none")
    usual = replace(
        base,
        quote_character="'" if _all_quoted(plain, "'") else '"',
        escape_character="\\" if (_escapes(sample, base.delimiter) or 0) >= _SURE else None,
        skip_initial_space=len(plain.fields) >= _SURE and all(_spaced(fields) for fields in plain.fields),
    )
    readings = [plain] if plain.places else []
    for way, ordinary in _ways(sample, plain, usual):
        reading = read_under(sample, way, wanted, labelled=labelled, ordinary_quotes=ordinary)
        if reading.places:
            readings.append(reading)
    if not readings:
        return None

    def strangeness(reading: Reading) -> tuple[int, int]:
        dialect = reading.dialect
        strange = (
            (dialect.escape_character != usual.escape_character)
            + (dialect.skip_initial_space != usual.skip_initial_space)
            + 3 * reading.ordinary_quotes
            + 5 * (dialect.quote_character != usual.quote_character)
        )
        return reading.loss, strange

    best = min(readings, key=strangeness)
    return Choice(best, [reading for reading in readings if reading.loss == best.loss and reading is not best])


def _ways(sample: Sample, plain: Reading, usual: Dialect) -> Iterator[tuple[Dialect, bool]]:
    """Yields the other ways to read a file, each with whether double quotes are ordinary characters.

    Where the plain way loses nothing, only those that could be meant all the same.
    """
    base, text, lossless = plain.dialect, sample.text, bool(plain.places) and not plain.loss
    if lossless:
        single = any(_in_quotes(value, "'") for fields in plain.fields for value in fields)
        escaped, spaced = _escapes(sample, base.delimiter) is not None, usual.skip_initial_space
    else:
        single = re.search(rf"(^|{re.escape(base.delimiter)} ?)'", text, re.MULTILINE) is not None
        escaped, spaced = True, base.delimiter + " " in text and base.delimiter != " "
    ways = itertools.product(
        ['"', "'"] if single and "'" not in base.delimiter else ['"'],
        [None, "\\"] if escaped and "\\" in text and "\\" not in base.delimiter else [None],
        [False, True] if spaced else [False],
        {"standard": [False], "none": [True]}.get(base.quoting, [False, True] if '"' in text else [False]),
    )
    for quote, escape, space, ordinary in itertools.islice(ways, 1, None):  # the first is the plain one
        yield replace(base, quote_character=quote, escape_character=escape, skip_initial_space=space), ordinary


def _spaced(fields: list[str]) -> bool:
    return len(fields) > 1 and all(field.startswith(" ") for field in fields[1:])


def _all_quoted(reading: Reading, quote: str) -> bool:
    """Says whether some column has its texts in quotes, all of them and enough to be no chance."""
    for column in zip(*reading.fields, strict=True):
        texts = [value for value in column if value and not _NUMBER.fullmatch(value)]
        if len(texts) >= _SURE and all(_in_quotes(value, quote) for value in texts):
            return True
    return False


def _in_quotes(value: str, quote: str) -> bool:
    return len(value) > 1 and value[0] == quote == value[-1]


def _doubts(sample: Sample, choice: Choice) -> Iterator[str]:
    """Yields what else the file could mean, where it shows too little to know."""
    best = choice.best
    for reading in choice.as_good:
        if reading.same_rows(best):
            continue
        changed = [
            name
            for name in ("quote_character", "escape_character", "skip_initial_space")
            if getattr(reading.dialect, name) != getattr(best.dialect, name)
        ]
        if reading.ordinary_quotes != best.ordinary_quotes:
            changed.append("quoting")
        if changed == ["quoting"]:
            quoting, plain = (reading, best) if best.ordinary_quotes else (best, reading)
            if not _all_quoted(plain, '"') and quoting.doubled_quotes(plain) < _SURE:
                yield "ambiguous: some fields are in double quotes that may be part of the text (quoting: none) or not"
        elif changed == ["escape_character"] and _few_escapes(sample, best.dialect.delimiter):
            yield "ambiguous: backslashes may be part of the text, or escape what follows (escape_character)"
        elif "quote_character" in changed and not _all_quoted(choice.best, "'"):
            yield "ambiguous: some fields are in single quotes that may be part of the text or not (quote_character)"


def _escapes(sample: Sample, delimiter: str) -> int | None:
    """Counts the backslashes before what needs one; None if others are before what does not, in texts as they are."""
    special = re.escape(delimiter[0])
    found = re.findall(r"\\(.|\Z)", sample.text, re.DOTALL)
    if any(re.fullmatch(rf"[^\\\"'{special}\r\nntr]", after) for after in found):
        return None
    return sum(after not in "ntr\r\n" for after in found)


def _few_escapes(sample: Sample, delimiter: str) -> bool:
    found = _escapes(sample, delimiter)
    return found is not None and found < _SURE

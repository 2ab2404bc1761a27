"""What is in a data file: its labels, the lengths of its texts, and what of it cannot be used."""

import os
import re
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from fullbake.components.data.data_files import opened
from fullbake.components.data.data_folders import INPUT_BASE
from fullbake.components.data.file_kinds import named
from fullbake.components.data.quoting import STANDARD, Quoting
from fullbake.components.data.reading import place_in, place_of, quoting_of, read_rows
from fullbake.components.data.row_format import MOST_LABELS, RowFormat
from fullbake.components.data.rows import BadRow, LineCount, Row
from fullbake.components.data.same_text import row_digest_of
from fullbake.contract.errors import InputError

LONGEST_LABEL = 500
"""Characters; a longer value is no class, and a key of YAML has at most 1,024 (YAML 1.2, 7.4.2)."""

# WordPiece without its vocabulary: up to five letters, up to two digits, or any other character make a piece. The 99th
# percentile of two English files is 78 and 63 this way (tweets, questions to a bank); bert-base-uncased's vocabulary
# gives 82 and 53. Scripts an English vocabulary spells out letter by letter are counted letter by letter.
_PIECE = re.compile(r"[a-zA-Z]{1,5}|[0-9]{1,2}|[^\sa-zA-Z0-9]")


@dataclass
class Survey:
    """What is in a file.

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
        """Rows that can be used."""
        return sum(self.labels.values())

    @property
    def bad(self) -> int:
        """Rows that cannot."""
        return sum(self.reasons.values())


def survey_files(paths: list[str], fmt: RowFormat) -> Survey:
    """Reads whole files, of one format; with more than `MOST_LABELS` labels, only as far as to know that.

    Args:
        paths: The files.
        fmt: How they are written, without labels.

    Raises:
        InputError: One is no file of its format, or has none of a wanted column.
    """
    import numpy as np  # here, for no error should wait for it

    from fullbake.components.data.repeats import find_repeats

    survey = Survey()
    # Some bytes of each row: a digest of its text, the number of its label, its file and its line.
    digests, label_numbers, files, lines = array("Q"), array("H"), array("H"), array("Q")
    numbers: dict[str, int] = {}
    names = [os.path.basename(path) for path in paths]

    def place(file: int, line: int) -> str:
        return place_in(names[file], line) if len(names) == 1 else place_of(names[file], line)

    for file, row in _rows(paths, names, fmt, survey):
        if isinstance(row, BadRow):
            survey.first_bad = survey.first_bad or f"{place(file, row.line)}: {row.reason}"
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
        files.append(file)
        lines.append(row.line)
    labels = list(numbers)

    def name_row(row: int, with_label: bool) -> str:
        return place(files[row], lines[row]) + (f" ({labels[label_numbers[row]]!r})" if with_label else "")

    found = find_repeats(np.array(digests, np.uint64), np.array(label_numbers, np.uint16), name_row)
    survey.repeats = found[0].in_words()
    return survey


def _rows(paths: list[str], names: list[str], fmt: RowFormat, survey: Survey) -> Iterator[tuple[int, Row | BadRow]]:
    """Yields the rows of files, each with the number of its file."""
    for number, (path, name) in enumerate(zip(paths, names, strict=True)):
        survey.quoting = quoting_of(partial(opened, path), name, fmt)
        count = LineCount()
        with named(name, INPUT_BASE), opened(path) as stream:
            for row in read_rows(stream, name, fmt, quoting=survey.quoting, count=count):
                yield number, row
        survey.lines.add(count)


def _estimate_tokens(text: str, text_pair: str | None) -> int:
    """Returns about how many tokens WordPiece makes of a text or a pair, [CLS] and [SEP]s included."""
    texts = (text,) if text_pair is None else (text, text_pair)
    return 1 + sum(1 + sum(1 for _ in _PIECE.finditer(part)) for part in texts)  # one by one: a text may be long


def check_classes(survey: Survey, fmt: RowFormat) -> None:
    """Checks that the labels of a file are classes.

    Raises:
        InputError: No row can be used, there is one label only, there are too many, or one is too long.
    """
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

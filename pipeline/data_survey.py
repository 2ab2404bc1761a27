"""What is in a data file: its labels, the lengths of its texts, and what of it cannot be used."""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from fullbake.components.data.data_file import DataFile
from fullbake.components.data.file_rows import quoting_of_file, read_file
from fullbake.components.data.quoting import STANDARD, Quoting
from fullbake.components.data.reading import place_in
from fullbake.components.data.row_format import MOST_LABELS, RowFormat
from fullbake.components.data.rows import NOTHING_TO_LEARN, BadRow, LineCount, Row
from fullbake.components.data.same_text import digest_of, row_digest_of
from fullbake.pipeline.token_survey import TokenSurvey

TEXTS_KEPT = 3
"""Of each label: as many as there are splits."""


@dataclass
class Survey:
    """What is in data files.

    Attributes:
        files: The files.
        used: Rows that can be used.
        labels: Label -> rows that have it.
        masked: Label -> rows of which nobody knows whether they have it.
        unlabelled: Of a multi-label format, rows without a label.
        unused: Kind of reason -> rows that are left out through no fault of theirs.
        texts: Label -> digests of different texts as the split sees them, `TEXTS_KEPT` at most.
        reasons: Kind of reason -> bad rows.
        first_bad: The first bad row: place and reason.
        quoting: What the last file's quotes mean.
        lines: Physical lines, in all and those that are no rows.
        used_lines: Lines of the rows that can be used.
        rejected_lines: Lines of the bad rows.
        repeats: What repeats or contradicts an earlier row, in words.
        states: The labels that a row can have, in words, in the order of their numbers; one or several together.
        rows: Of each row that can be used: a digest of its text, its labels' number in the order of `states`, its
            file's number, its line.
    """

    files: list[DataFile]
    used: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    masked: Counter[str] = field(default_factory=Counter)
    unlabelled: int = 0
    unused: Counter[str] = field(default_factory=Counter)
    texts: dict[str, set[bytes]] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    first_bad: str = ""
    quoting: Quoting = STANDARD
    lines: LineCount = field(default_factory=LineCount)
    used_lines: int = 0
    rejected_lines: int = 0
    repeats: list[str] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)
    rows: tuple["array[int]", "array[int]", "array[int]", "array[int]"] = field(
        default_factory=lambda: (array("Q"), array("I"), array("L"), array("Q"))
    )

    def place(self, file: int, line: int) -> str:
        """Returns a row's place for people, with its file's name where there are several."""
        found = self.files[file]
        return place_in(found.name, line) if len(self.files) == 1 and not found.texts else found.place_of(line)

    @property
    def bad(self) -> int:
        """Rows that cannot."""
        return sum(self.reasons.values())


def survey_files(data_files: list[DataFile], fmt: RowFormat, tokens: TokenSurvey | None = None) -> Survey:
    """Reads whole files, of one format; with more than `MOST_LABELS` labels, only as far as to know that.

    Args:
        data_files: The files.
        fmt: How they are written; without labels, any value is one.
        tokens: Gets the texts; None: nobody counts their tokens.

    Raises:
        InputError: One is no file of its format, or has none of a wanted column.
    """
    survey = Survey(data_files)
    digests, label_numbers, files, lines = survey.rows
    for file, row in _rows(fmt, survey):
        if isinstance(row, BadRow):
            if row.kind in NOTHING_TO_LEARN:
                survey.unused[row.kind] += 1
                survey.rejected_lines += row.lines
                continue
            survey.first_bad = survey.first_bad or f"{survey.place(file, row.line)}: {row.reason}"
            survey.reasons[row.kind] += 1
            survey.rejected_lines += row.lines
            continue
        survey.used += 1
        survey.labels.update(row.labels)
        survey.unlabelled += not row.labels
        if row.label_set is not None:
            survey.masked.update(row.label_set.masked)
        if tokens is not None:
            tokens.add(row.text, row.text_pair)
        survey.used_lines += row.lines
        if len(survey.labels) > MOST_LABELS:
            return survey
        for label in row.labels:
            texts = survey.texts.setdefault(label, set())
            if len(texts) < TEXTS_KEPT:
                texts.add(digest_of(row.text))
        digests.append(int.from_bytes(row_digest_of(row.text, row.text_pair), "big"))
        label_numbers.append(survey.states.setdefault(row.label, len(survey.states)))
        files.append(file)
        lines.append(row.line)
    if tokens is not None:
        tokens.finish()
    survey.repeats = _repeats(survey, multi_label=fmt.multi_label)
    return survey


def _rows(fmt: RowFormat, survey: Survey) -> Iterator[tuple[int, Row | BadRow]]:
    """Yields the rows of files, each with the number of its file."""
    for number, file in enumerate(survey.files):
        survey.quoting = quoting_of_file(file, fmt)
        count = LineCount()
        for row in read_file(file, fmt, quoting=survey.quoting, count=count):
            yield number, row
        survey.lines.add(count)


def merge_labels(survey: Survey, spellings: Mapping[str, str]) -> Survey:
    """Returns what a survey finds where some labels are others, without reading the files once more.

    Args:
        survey: Of whole files, a label to a row.
        spellings: Label -> the label that it is.
    """
    labels: Counter[str] = Counter()
    texts: dict[str, set[bytes]] = {}
    for label, rows in survey.labels.items():
        merged = spellings.get(label, label)
        labels[merged] += rows
        texts.setdefault(merged, set()).update(survey.texts[label])
    numbers = {label: number for number, label in enumerate(labels)}
    renumbered = [numbers[spellings.get(label, label)] for label in survey.labels]
    digests, label_numbers, files, lines = survey.rows
    rows_merged = digests, array("I", (renumbered[number] for number in label_numbers)), files, lines
    found = replace(survey, labels=labels, texts=texts, states=numbers, rows=rows_merged)
    found.repeats = _repeats(found)
    return found


def _repeats(survey: Survey, *, multi_label: bool = False) -> list[str]:
    import numpy as np  # here, for no error should wait for it

    from fullbake.components.data.repeats import find_repeats

    digests, label_numbers, files, lines = survey.rows
    states = [repr(words) if words else "no label" for words in survey.states]

    def name_row(row: int, with_label: bool) -> str:
        return survey.place(files[row], lines[row]) + (f" ({states[label_numbers[row]]})" if with_label else "")

    repeats, _, _ = find_repeats(np.array(digests, np.uint64), np.array(label_numbers, np.uint32), name_row)
    return repeats.in_words(multi_label=multi_label)

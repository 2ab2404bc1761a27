"""What ExampleGen says of the rows it read: `ingest.json`."""

from __future__ import annotations

from fullbake.contract.names import INGEST_FILE
from fullbake.contract.results.result import Result, ResultFile


class LineAccount(Result):
    """What the physical lines of the files are; the parts add up to the total.

    Attributes:
        total: All lines.
        header: Those of headers.
        blank: Those with nothing on them.
        used: Those of rows that became examples.
        rejected: Those of rows that did not.
    """

    total: int
    header: int
    blank: int
    used: int
    rejected: int


class Repeats(Result):
    """Rows with the text (and second text) of another, as `components.data.same_text.row_digest_of` compares them.

    Attributes:
        duplicates: Rows that repeat an earlier one, label and all.
        first_duplicate: The first of them and the one it repeats, for people; empty if there is none.
        conflicting_texts: Texts with more than one label or, of multi-label examples, label set.
        conflicting_rows: Rows with such a text.
        first_conflict: Two rows of the first such text with their labels, for people; empty if there is none.
        more_conflicts: The same of a few texts after that.
    """

    duplicates: int = 0
    first_duplicate: str = ""
    conflicting_texts: int = 0
    conflicting_rows: int = 0
    first_conflict: str = ""
    more_conflicts: tuple[str, ...] = ()

    def in_words(self, *, multi_label: bool = False) -> list[str]:
        """Returns a sentence, without its stop, for each kind there is.

        Args:
            multi_label: Whether several labels of a text are no conflict, but other labels in another row.
        """
        said, differing = [], "labels that differ" if multi_label else "several labels"
        if self.conflicting_texts:
            texts = "1 text has" if self.conflicting_texts == 1 else f"{self.conflicting_texts:,} texts have"
            said.append(f"{texts} {differing}, in {self.conflicting_rows:,} rows: {self.first_conflict}")
        if self.duplicates:
            rows = "1 row repeats" if self.duplicates == 1 else f"{self.duplicates:,} rows repeat"
            said.append(f"{rows} an earlier one, label and all: {self.first_duplicate}")
        return said


class Classes(Result):
    """How large the classes are, for the split.

    Attributes:
        splits: How many splits share the texts of the labelled files.
        texts: By label, how many different texts that have it they share; trivial copies are one (see
            `components.data.same_text.digest_of`).
        left_out: The listed classes that have no rows in any split, because they were too small.
    """

    splits: int = 0
    texts: dict[str, int] = {}
    left_out: tuple[str, ...] = ()


class Drift(Result):
    """How one span differs from another.

    Attributes:
        before: The other span's number.
        rows_before: Its rows.
        label_distance: The greatest change of a label's share, from 0 to 1: the L-infinity distance by which TFDV
            measures the drift of a category.
        label: The label whose share changed the most.
        share_before: Its share in the other span.
        share: Its share in this one.
        length_distance: The greatest difference between the shares of texts up to any one length, from 0 to 1: the
            statistic of Kolmogorov and Smirnov.
        median_length_before: Median of the other span, in characters.
        median_length: Median of this one.
    """

    before: int
    rows_before: int
    label_distance: float
    label: str
    share_before: float
    share: float
    length_distance: float
    median_length_before: int
    median_length: int

    def __str__(self) -> str:
        """Returns it in a line."""
        return f"labels {self.labels_in_words}; text lengths {self.lengths_in_words}"

    @property
    def labels_in_words(self) -> str:
        """The labels' drift, for people."""
        return f"{self.label_distance:.3f} (share of {self.label!r} {self.share_before:.3f}, now {self.share:.3f})"

    @property
    def lengths_in_words(self) -> str:
        """The lengths' drift, for people."""
        return f"{self.length_distance:.3f} (median {self.median_length_before}, now {self.median_length} characters)"


class Ingest(ResultFile):
    """What became of all rows.

    Attributes:
        read: Labelled rows read.
        used: Labelled rows that became examples.
        rejected: Labelled rows that did not.
        examples: By split, how many examples there are.
        labels: By split and label, how many of them have it: of single labels the same.
        masked: By split and label, of how many nobody knows whether they have it; of single labels empty.
        reasons: Why rows were rejected, the most frequent reason first: how many for each.
        lines: Of the lines of the labelled files, what each was.
        ordinary_quotes: The files whose quotes are characters like any other.
        repeats: What repeats or contradicts an earlier row.
        classes: How large the classes are, and which are left out.
        notes: What people should know of the last four, a sentence each, without its stop.
        corpus: Texts of the unlabelled corpus that are used.
        corpus_rejected: Texts of it that are not.
        corpus_reasons: Why they are not, as `reasons`.
        corpus_lines: Of the lines of its files, what each was.
        drift: How the newest span differs from the one before it; None if there is none before it.
        drift_unknown: Why that cannot be told; None where it can, or there is none.
    """

    FILE = INGEST_FILE
    INDENT = 2
    ASCII = False

    read: int
    used: int
    rejected: int = 0
    examples: dict[str, int] = {}
    labels: dict[str, dict[str, int]] = {}
    masked: dict[str, dict[str, int]] = {}
    reasons: dict[str, int] = {}
    lines: LineAccount | None = None
    ordinary_quotes: tuple[str, ...] = ()
    repeats: Repeats = Repeats()
    classes: Classes = Classes()
    notes: tuple[str, ...] = ()
    corpus: int = 0
    corpus_rejected: int = 0
    corpus_reasons: dict[str, int] = {}
    corpus_lines: LineAccount | None = None
    drift: Drift | None = None
    drift_unknown: str | None = None

    @property
    def multi_label(self) -> bool:
        """Whether an example can have any number of labels."""
        return bool(self.masked)

    def without(self, split: str, label: str) -> int:
        """Returns how many examples of a split are known not to have a label."""
        return self.examples[split] - self.labels[split][label] - self.masked.get(split, {}).get(label, 0)

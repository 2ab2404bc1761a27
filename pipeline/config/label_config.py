"""The first keys of the config's section `data`: which columns are read of which files, and which labels they have."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from fullbake.components.data.label_place import COLUMN
from fullbake.components.data.row_format import NULL_VALUES, OTHER
from fullbake.contract.names import LABELS_SEPARATOR
from fullbake.contract.nearest import did_you_mean
from fullbake.pipeline.config.config_section import Label, Location, Positive, Section

# Unicode's categories of control characters, surrogates, and separators of lines and paragraphs. Format characters (Cf)
# are not among them: they join emoji, and letters of several scripts.
UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")

LABEL_COLUMN = "label"
"""The name of the column with the label where nothing else is said."""


def is_printable(label: str) -> bool:
    """Says whether tables and logs can show a label: no line breaks or control characters are in it."""
    return not any(unicodedata.category(char) in UNPRINTABLE for char in label)


class LabelConfig(Section):
    """Which columns are read of which files, and which labels they have."""

    input_base: Location
    """The folder of the data files; an address such as `gs://bucket/folder` is one too."""
    pattern: str = "*"
    """Which files below it are read. With spans, `span-{SPAN}/*` takes the newest."""
    window: Positive = 1
    """Of spans: how many are read, the newest and those numbered before it."""
    text_column: str = "text"
    """The column with the text; its number, from 1, in files without a header."""
    text_pair_column: str | None = None
    """The column with the second text of a pair: `[CLS] a [SEP] b [SEP]`."""
    label_column: str = LABEL_COLUMN
    """The column with the label."""
    label_from: Literal["column", "filename", "folder"] = "column"
    """Or the names of the files, one to a class, or of the folders that they are in (then `pattern` is `*/*`)."""
    labels_file: str | None = None
    """Labels in this file below `input_base` instead: line by line or, with `id_column`, joined."""
    test_labels_file: str | None = None
    """The same of the test set, below `test_base`."""
    id_column: str | None = None
    """The column that texts and `labels_file` have in common."""
    labels: tuple[Label, ...]
    """The labels; their order is the class index. With `label_columns` they may be left out."""
    label_map: dict[Label, Label] = {}
    """A value in the file, and the label that it stands for, such as `{0: non_toxic, 1: toxic}`."""
    label_threshold: float | None = None
    """Of a column of numbers: from this one on the second of two labels, below it the first."""
    label_columns: tuple[Label, ...] = ()
    """For rows with any number of labels: a column for each, of 0 and 1."""
    label_separator: Annotated[str, Field(min_length=1)] | None = None
    """The same in one column: what stands between the labels of a cell, such as `,`."""
    missing_label: Literal["fail", "mask"] = "fail"
    """Of `label_columns`, a cell that is empty, -1 or one of `null_values`: a bad row, or nothing is learned of it."""
    votes: dict[Label, Label | None] = {}
    """By column, the label whose votes it counts; or a list of columns with one vote in each."""
    rare_classes: Literal["fail", "drop", "other"] = "fail"
    """Of rows of no listed label or of too small a class: stop, leave them out, or call them `other`."""
    null_values: tuple[Label, ...] = NULL_VALUES
    """The words that stand for a missing label or text; `[]`: none does."""

    @model_validator(mode="before")
    @classmethod
    def _complete_labels(cls, values: Any) -> Any:
        """Puts in what lists of columns stand for.

        Where no labels are named, those of `label_columns` are the columns' names; and each column in a list of `votes`
        has the votes of one annotator, for whatever labels.
        """
        if not isinstance(values, dict):
            return values
        columns, votes = values.get("label_columns"), values.get("votes")
        if isinstance(columns, list | tuple) and "labels" not in values:
            values = {**values, "labels": columns}
        if isinstance(votes, list | tuple) and all(isinstance(column, str | int) for column in votes):
            if twice := [column for column in votes if votes.count(column) > 1]:
                raise ValueError(f"votes: {twice[0]!r} is listed twice")
            values = {**values, "votes": dict.fromkeys(votes)}
        return values

    @model_validator(mode="after")
    def _labels_fit(self) -> LabelConfig:
        if self.label_columns:
            _check_label_columns(self)
        if self.label_separator is not None:
            _check_label_separator(self)
        if self.votes:
            _check_votes(self)
        if self.missing_label != "fail" and not self.label_columns:
            raise ValueError("missing_label: it is about the cells of label_columns, which is not set; take it away")
        _check_labels(self)
        if self.multi_label:
            _check_names_joined(self)
        _check_label_map(self)
        _check_label_threshold(self)
        _check_rare_classes(self)
        return self

    @property
    def multi_label(self) -> bool:
        """Whether a row can have any number of labels."""
        return bool(self.label_columns) or self.label_separator is not None

    @property
    def columns_with_labels(self) -> list[tuple[str, str]]:
        """The columns that have labels, each with the key that names it."""
        if self.label_columns:
            return [("label_columns", column) for column in self.label_columns]
        return [("votes", column) for column in self.votes] or [("label_column", self.label_column)]

    @property
    def text_columns(self) -> dict[str, str]:
        """By the name of each feature of text that the model takes, the column that it is from."""
        columns = {"text": self.text_column, "text_pair": self.text_pair_column}
        return {feature: column for feature, column in columns.items() if column is not None}


def _check_label_columns(data: LabelConfig) -> None:
    columns = data.label_columns
    if len(columns) < 2:
        raise ValueError(f"label_columns: {columns[0]!r} alone is one column with a label; name it as label_column")
    if twice := sorted({column for column in columns if columns.count(column) > 1}):
        raise ValueError(f"label_columns: {twice[0]!r} is listed twice")
    if (text := next((column for column in columns if column in data.text_columns.values()), None)) is not None:
        raise ValueError(f"label_columns: {text!r} is the column of a text, too; take it away")
    for key, why in (
        ("label_separator", "several labels are in one cell, or each has a column"),
        ("label_map", "each column is of one label, which labels may give another name"),
        ("votes", "a column counts votes, or says whether a row has a label"),
    ):
        if getattr(data, key):
            raise ValueError(f"{key}: it does not go with label_columns: {why}; take one of both away")
    _check_labels_in_columns(data, "label_columns")
    if data.labels_file is not None and data.id_column is None:
        raise ValueError(
            "labels_file: line by line it has one label; set id_column to the column by which label_columns are joined "
            "with the texts"
        )
    if len(data.labels) != len(columns):
        raise ValueError(
            f"labels: there are {len(data.labels)}, and label_columns names {len(columns)} columns; give each column "
            "its label, in the same order, or leave labels out"
        )
    if set(data.labels) == set(columns) and data.labels != columns:
        raise ValueError("labels: they are in another order than label_columns; leave labels out")


def _check_label_separator(data: LabelConfig) -> None:
    if data.votes:
        raise ValueError("votes: they give a row one label, and label_separator parts several; take one of both away")
    if data.label_from != COLUMN:
        raise ValueError(
            f"label_separator: labels are in a column or, with label_from {data.label_from}, in names; take one away"
        )
    if data.label_threshold is not None:
        raise ValueError("label_threshold: numbers are no labels that stand in one cell; set it to null")
    for label in data.labels:
        if data.label_separator is not None and data.label_separator in label:
            raise ValueError(
                f"labels: {label!r} has the label_separator in it, so it is never one of the parts; fix it"
            )


def _check_votes(data: LabelConfig) -> None:
    columns = list(data.votes)
    if len(columns) < 2:
        raise ValueError(f"votes: {columns[0]!r} alone decides nothing; name several columns")
    if (text := next((column for column in columns if column in data.text_columns.values()), None)) is not None:
        raise ValueError(f"votes: {text!r} is the column of a text, too; take it away")
    _check_labels_in_columns(data, "votes")
    if data.labels_file is not None:
        raise ValueError("labels_file: votes are in the file of the texts; take one of both away")
    if data.label_threshold is not None:
        raise ValueError("label_threshold: votes are counted, not parted; set it to null, or use label_columns with it")
    unnamed = [column for column, label in data.votes.items() if label is None]
    if len(unnamed) == len(columns):
        return
    if unnamed:
        raise ValueError(f"votes: {unnamed[0]!r} has no label for which it counts; give it one, or none to any column")
    if data.label_map:
        raise ValueError("label_map: it is never asked beside votes that are counted; take one of both away")
    for column, label in data.votes.items():
        if label not in data.labels:
            raise ValueError(
                f"votes: {column!r} counts for {label!r}, which is not in labels{did_you_mean(str(label), data.labels)}"
            )
    if lacking := [label for label in data.labels if label not in data.votes.values()]:
        raise ValueError(f"votes: no column counts for {lacking[0]!r}; name one, or take it out of labels")


def _check_labels_in_columns(data: LabelConfig, key: str) -> None:
    if data.label_from != COLUMN:
        raise ValueError(f"{key}: labels are in columns or, with label_from {data.label_from}, in names; take one away")
    if data.label_column != LABEL_COLUMN:
        raise ValueError(f"label_column: the labels are in the columns of {key}; take one of both away")


def _check_labels(data: LabelConfig) -> None:
    if len(data.labels) < 2:
        raise ValueError("labels: at least two are needed")
    for label in data.labels:
        if not label or label != label.strip():
            raise ValueError(f"labels: {label!r} can never be found, for the file's values are stripped; fix it")
        if not is_printable(label):
            raise ValueError(
                f"labels: {label!r} has a line break or control character, which tables and logs cannot show; "
                "map it to another name with data.label_map"
            )
    twice = sorted({label for label in data.labels if data.labels.count(label) > 1})
    if twice:
        raise ValueError(f"labels: {twice[0]!r} is listed twice")
    seen: dict[str, str] = {}
    for label in data.labels:
        alike = seen.setdefault(" ".join(unicodedata.normalize("NFC", label).split()), label)
        if alike != label:
            raise ValueError(
                f"labels: {alike!a} and {label!a} look the same; name one, and map the other to it with data.label_map"
            )


def _check_names_joined(data: LabelConfig) -> None:
    for label in data.labels:
        if LABELS_SEPARATOR in label:
            ways = "in data.labels" if data.label_columns else "with data.label_map"
            raise ValueError(
                f"labels: {label!r} has a {LABELS_SEPARATOR!r} in it, which stands between the labels that a model "
                f"gives a text; give it another name {ways}"
            )
    if data.rare_classes != "fail":
        raise ValueError(
            f"rare_classes: a text may have other labels than a rare one, so none is left out or made {OTHER!r}; set "
            "it to fail, and take rare labels out of data.labels"
        )


def _check_label_map(data: LabelConfig) -> None:
    for value, label in data.label_map.items():
        if label not in data.labels:
            raise ValueError(
                f"label_map: {value!r} is mapped to {label!r}, which is not in labels{did_you_mean(label, data.labels)}"
            )


def _check_label_threshold(data: LabelConfig) -> None:
    if data.label_threshold is None or data.label_columns:
        return
    if len(data.labels) != 2:
        raise ValueError(
            f"label_threshold: it makes two classes of numbers, and labels has {len(data.labels)}; name two, the "
            "lower first, or set it to null"
        )
    if data.label_map:
        raise ValueError("label_threshold: label_map is never asked beside it; take one of them away")


def _check_rare_classes(data: LabelConfig) -> None:
    if data.rare_classes == OTHER and OTHER not in data.labels:
        raise ValueError(
            f"rare_classes: {OTHER!r} is not in data.labels ({', '.join(data.labels)}); add it there, or set "
            f"rare_classes to drop{did_you_mean(OTHER, data.labels)}"
        )

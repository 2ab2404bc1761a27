"""The config's section `data`: where the texts are and how they are read."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from fullbake.components.data.dialect import NUMBERED, Dialect
from fullbake.components.data.label_place import COLUMN, FOLDER, LabelPlace
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.spans import has_spans, has_spans_alone
from fullbake.contract.nearest import did_you_mean
from fullbake.contract.results.about import Labelling, Reading
from fullbake.pipeline.config.config_section import Fraction, Location, Positive
from fullbake.pipeline.config.label_config import LabelConfig

Character = Annotated[str, Field(min_length=1, max_length=1)]

_COLUMN_KEYS = ("text_column", "text_pair_column", "label_column")


class DataConfig(LabelConfig):
    """Where the texts are and how they are read."""

    delimiter: Annotated[str, Field(min_length=1)] = ","
    """Of CSV, as all keys up to `line_pattern`: what is between fields; one character or several."""
    encoding: str = "utf-8"
    """A byte-order mark wins over it."""
    quoting: Literal["auto", "standard", "none"] = "auto"
    """Whether quotes quote fields, which may span lines, or are characters like any other; `auto` finds out."""
    quote_character: Character = '"'
    """The quote."""
    escape_character: Character | None = None
    """Such as a backslash: takes its meaning from the quote, delimiter or line end that follows."""
    skip_initial_space: bool = False
    """Whether spaces after a delimiter are no part of the field."""
    comment_prefix: Annotated[str, Field(min_length=1)] | None = None
    """Such as `#`: what lines before the header begin with that are no part of the table."""
    short_rows: Literal["reject", "fill"] = "reject"
    """Of a row that ends early: a bad row, or what it does not have is empty."""
    trailing_delimiter: bool = False
    """Whether rows end in a delimiter."""
    columns: tuple[str, ...] | Literal["numbered"] | None = None
    """Of files without a header: a name for each column, `_` for one that nobody wants."""
    line_pattern: str | None = None
    """A regular expression that each line fits, with a named group for each column."""
    on_bad_row: Literal["fail", "quarantine"] = "fail"
    """A row that cannot be used stops the run, or is written aside with the reason."""
    max_bad_fraction: Fraction = 0.01
    """Of all rows; more than that stops the run all the same."""
    on_duplicate: Literal["keep", "drop"] = "keep"
    """Of rows with the same text and label: all are used, or the first."""
    on_conflict: Literal["keep", "drop", "fail"] = "keep"
    """Of texts with several labels: all rows are used, none is, or the run stops."""
    split: dict[str, Positive] = {"train": 8, "eval": 1, "test": 1}
    """Shares of the parts, by a hash of the text."""
    test_base: Location | None = None
    """A folder with a test set of its own; then `split` is `{train: 8, eval: 1}`."""
    max_label_drift: Fraction | None = None
    """Of spans: how far a label's share may be from that in the span before, such as 0.1."""
    max_length_drift: Fraction | None = None
    """The same of the lengths of texts: the Kolmogorov-Smirnov distance, from 0 to 1."""

    @model_validator(mode="before")
    @classmethod
    def _split_of_what_is_left(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("test_base") is not None and "split" not in values:
            return {**values, "split": {"train": 8, "eval": 1}}
        return values

    @model_validator(mode="before")
    @classmethod
    def _pattern_of_folders(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("label_from") == FOLDER and "pattern" not in values:
            return {**values, "pattern": "*/*"}
        return values

    @model_validator(mode="before")
    @classmethod
    def _columns_by_number(cls, values: Any) -> Any:
        """Takes columns that are named by numbers for those of files without a header."""
        if not isinstance(values, dict):
            return values
        numbers = {key: values[key] for key in _COLUMN_KEYS if type(values.get(key)) is int}
        if not numbers:
            return values
        elsewhere = values.get("label_from", COLUMN) != COLUMN or values.get("label_columns") or values.get("votes")
        needed = _COLUMN_KEYS[:1] if elsewhere else _COLUMN_KEYS[::2]
        if others := [key for key in needed if key not in numbers]:
            raise ValueError(
                f"{others[0]}: {next(iter(numbers))} is a number, of a column of files without a header; give this one "
                "by its number, too"
            )
        return {"columns": "numbered", **values, **{key: str(number) for key, number in numbers.items()}}

    @model_validator(mode="after")
    def _columns_fit(self) -> DataConfig:
        if self.columns is None:
            return self
        if self.line_pattern is not None:
            raise ValueError("columns: line_pattern names the columns; take one of both away")
        wanted = [(key, column) for key in _COLUMN_KEYS[:2] if (column := getattr(self, key)) is not None]
        if self.label_from == COLUMN:
            wanted += self.columns_with_labels
        for key, column in wanted:
            if self.columns == "numbered" and not column.isdecimal():
                raise ValueError(f"{key}: {column!r} is no number, and data.columns says that columns have numbers")
            if self.columns != "numbered" and self.columns.count(column) != 1:
                often = "twice" if column in self.columns else "not"
                raise ValueError(
                    f"columns: {column!r}, which is data.{key}, is {often} among them ({', '.join(self.columns)})"
                    f"{did_you_mean(column, self.columns)}"
                )
        return self

    @model_validator(mode="after")
    def _labels_file_fits(self) -> DataConfig:
        key = "test_labels_file" if self.labels_file is None else "labels_file"
        if getattr(self, key) is None:
            if self.id_column is not None:
                raise ValueError(
                    "id_column: it belongs to labels_file, which is not set; set it, or take id_column away"
                )
            return self
        if self.label_from != COLUMN:
            raise ValueError(
                f"{key}: labels are in this file or, with label_from {self.label_from}, in names; take one away"
            )
        for named, column in self.columns_with_labels:
            if column in (self.text_column, self.text_pair_column):
                raise ValueError(f"{named}: {column!r} is the column of a text, too; rename one of both")
        if self.test_base is None and self.test_labels_file is not None:
            raise ValueError("test_base: test_labels_file is set, which says nothing without it; set both")
        if self.test_base is not None and self.test_labels_file is None:
            raise ValueError(
                "test_labels_file: test_base is set, and with labels_file its labels are in a file, too; set it"
            )
        if self.id_column is None:
            if self.text_pair_column is not None:
                raise ValueError(
                    "text_pair_column: labels line by line belong to single texts; set id_column to a column that "
                    "texts and labels have in common"
                )
            if has_spans(self.pattern):
                raise ValueError(
                    f"{key}: labels line by line belong to one file, and pattern numbers spans; set id_column to "
                    "a column that texts and labels have in common"
                )
        elif self.columns is not None or self.line_pattern is not None:
            without = "columns" if self.columns is not None else "line_pattern"
            raise ValueError(
                f"{without}: the labels of {key} need a header, as the texts do, to be joined by id_column"
            )
        return self

    @model_validator(mode="after")
    def _window_fits(self) -> DataConfig:
        if self.window > 1 and not has_spans_alone(self.pattern):
            raise ValueError(
                f"window: {self.window} spans are asked for, and pattern {self.pattern!r} does not number spans alone; "
                'write it with {SPAN} and without {VERSION}, such as "span-{SPAN}/*", or set window to 1'
            )
        return self

    @model_validator(mode="after")
    def _drift_fits(self) -> DataConfig:
        for key in ("max_label_drift", "max_length_drift"):
            if getattr(self, key) is not None and not has_spans(self.pattern):
                raise ValueError(
                    f"{key}: drift is measured against the span before, and pattern {self.pattern!r} numbers no spans; "
                    'write it with {SPAN}, such as "span-{SPAN}/*", or set the bound to null'
                )
        return self

    @model_validator(mode="after")
    def _split_fits(self) -> DataConfig:
        wanted = {"train", "eval", "test"} if self.test_base is None else {"train", "eval"}
        if set(self.split) != wanted:
            parts = (
                "train, eval and test" if self.test_base is None else "train and eval (data.test_base is the test set)"
            )
            raise ValueError(f"split: names {', '.join(self.split)}; give one share for each of {parts}")
        return self

    @property
    def row_format(self) -> RowFormat:
        """How the files are to be read."""
        return RowFormat(
            text_column=self.text_column,
            label_column=self.label_column,
            labels=self.labels,
            text_pair_column=self.text_pair_column,
            label_map=self.label_map,
            dialect=self.dialect,
            id_column=self.id_column,
            null_values=self.null_values,
            label_threshold=self.label_threshold,
            label_columns=self.label_columns,
            label_separator=self.label_separator,
            missing_label=self.missing_label,
            votes=self.votes,
            rare_classes=self.rare_classes,
            names={name: f"data.{name}" for name in DataConfig.model_fields},
        )

    @property
    def label_place(self) -> LabelPlace:
        """Where the labels of the labelled files are."""
        return LabelPlace(self.label_from, self.labels_file)

    @property
    def test_label_place(self) -> LabelPlace:
        """Where those of the test folder's files are."""
        return LabelPlace(self.label_from, self.test_labels_file)

    @property
    def dialect(self) -> Dialect:
        """How files are written that are CSV."""
        values = {field.name: getattr(self, field.name) for field in fields(Dialect)}
        return Dialect(**{**values, "columns": NUMBERED if self.columns == "numbered" else self.columns})

    @property
    def reading(self) -> Reading:
        """What a model keeps of how its files were read."""
        in_one_column = self.label_from == COLUMN and not self.label_columns and not self.votes
        label_column = self.label_column if in_one_column else None
        labelling = Labelling(**{name: getattr(self, name) for name in Labelling.model_fields})
        return Reading(
            dialect=asdict(self.dialect),
            null_values=self.null_values,
            label_column=label_column,
            labelling=labelling,
        )

"""The config's section `data`: where the texts are and how they are read."""

from __future__ import annotations

import unicodedata
from dataclasses import fields
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from fullbake.components.data.dialect import NUMBERED, Dialect
from fullbake.components.data.label_place import COLUMN, FOLDER, LabelPlace
from fullbake.components.data.row_format import NULL_VALUES, OTHER, RowFormat
from fullbake.components.data.spans import has_spans, has_spans_alone
from fullbake.contract.nearest import did_you_mean
from fullbake.pipeline.config.config_section import Fraction, Label, Location, Positive, Section

# Unicode's categories of control characters, surrogates, and separators of lines and paragraphs. Format characters (Cf)
# are not among them: they join emoji, and letters of several scripts.
UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")


Character = Annotated[str, Field(min_length=1, max_length=1)]

_COLUMN_KEYS = ("text_column", "text_pair_column", "label_column")


def is_printable(label: str) -> bool:
    """Says whether tables and logs can show a label: no line breaks or control characters are in it."""
    return not any(unicodedata.category(char) in UNPRINTABLE for char in label)


class DataConfig(Section):
    """Where the texts are and how they are read."""

    input_base: Location
    pattern: str = "*"
    window: Positive = 1
    text_column: str = "text"
    text_pair_column: str | None = None
    label_column: str = "label"
    label_from: Literal["column", "filename", "folder"] = "column"
    labels_file: str | None = None
    test_labels_file: str | None = None
    id_column: str | None = None
    labels: tuple[Label, ...]
    label_map: dict[Label, Label] = {}
    label_threshold: float | None = None
    null_values: tuple[Label, ...] = NULL_VALUES
    delimiter: Annotated[str, Field(min_length=1)] = ","
    encoding: str = "utf-8"
    quoting: Literal["auto", "standard", "none"] = "auto"
    quote_character: Character = '"'
    escape_character: Character | None = None
    skip_initial_space: bool = False
    comment_prefix: Annotated[str, Field(min_length=1)] | None = None
    short_rows: Literal["reject", "fill"] = "reject"
    trailing_delimiter: bool = False
    columns: tuple[str, ...] | Literal["numbered"] | None = None
    line_pattern: str | None = None
    on_bad_row: Literal["fail", "quarantine"] = "fail"
    max_bad_fraction: Fraction = 0.01
    on_duplicate: Literal["keep", "drop"] = "keep"
    on_conflict: Literal["keep", "drop", "fail"] = "keep"
    rare_classes: Literal["fail", "drop", "other"] = "fail"
    split: dict[str, Positive] = {"train": 8, "eval": 1, "test": 1}
    test_base: Location | None = None
    max_label_drift: Fraction | None = None
    max_length_drift: Fraction | None = None

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
        needed = _COLUMN_KEYS[::2] if values.get("label_from", COLUMN) == COLUMN else _COLUMN_KEYS[:1]
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
        keys = _COLUMN_KEYS if self.label_from == COLUMN else _COLUMN_KEYS[:2]
        wanted = {key: column for key in keys if (column := getattr(self, key)) is not None}
        for key, column in wanted.items():
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
        if self.labels_file is None:
            for key in ("id_column", "test_labels_file"):
                if getattr(self, key) is not None:
                    raise ValueError(f"{key}: it belongs to labels_file, which is not set; set it, or take {key} away")
            return self
        if self.label_from != COLUMN:
            raise ValueError(
                f"labels_file: labels are in this file or, with label_from {self.label_from}, in names; take one away"
            )
        if self.label_column in (self.text_column, self.text_pair_column):
            raise ValueError(f"label_column: {self.label_column!r} is the column of a text, too; rename one of both")
        if (self.test_base is None) != (self.test_labels_file is None):
            missing, there = ("test_base", "test_labels_file")[:: -1 if self.test_base else 1]
            raise ValueError(f"{missing}: {there} is set, and one of both says nothing without the other; set both")
        if self.id_column is None:
            if self.text_pair_column is not None:
                raise ValueError(
                    "text_pair_column: labels line by line belong to single texts; set id_column to a column that "
                    "texts and labels have in common"
                )
            if has_spans(self.pattern):
                raise ValueError(
                    "labels_file: labels line by line belong to one file, and pattern numbers spans; set id_column to "
                    "a column that texts and labels have in common"
                )
        elif self.columns is not None or self.line_pattern is not None:
            key = "columns" if self.columns is not None else "line_pattern"
            raise ValueError(
                f"{key}: the labels of labels_file need a header, as the texts do, to be joined by id_column"
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
    def _labels_fit(self) -> DataConfig:
        if len(self.labels) < 2:
            raise ValueError("labels: at least two are needed")
        for label in self.labels:
            if not label or label != label.strip():
                raise ValueError(f"labels: {label!r} can never be found, for the file's values are stripped; fix it")
            if not is_printable(label):
                raise ValueError(
                    f"labels: {label!r} has a line break or control character, which tables and logs cannot show; "
                    "map it to another name with data.label_map"
                )
        twice = sorted({label for label in self.labels if self.labels.count(label) > 1})
        if twice:
            raise ValueError(f"labels: {twice[0]!r} is listed twice")
        seen: dict[str, str] = {}
        for label in self.labels:
            alike = seen.setdefault(" ".join(unicodedata.normalize("NFC", label).split()), label)
            if alike != label:
                raise ValueError(
                    f"labels: {alike!a} and {label!a} look the same; name one, and map the other to it "
                    "with data.label_map"
                )
        return self

    @model_validator(mode="after")
    def _label_map_fits(self) -> DataConfig:
        for value, label in self.label_map.items():
            if label not in self.labels:
                raise ValueError(
                    f"label_map: {value!r} is mapped to {label!r}, which is not in labels"
                    f"{did_you_mean(label, self.labels)}"
                )
        return self

    @model_validator(mode="after")
    def _label_threshold_fits(self) -> DataConfig:
        if self.label_threshold is None:
            return self
        if len(self.labels) != 2:
            raise ValueError(
                f"label_threshold: it makes two classes of numbers, and labels has {len(self.labels)}; name two, the "
                "lower first, or set it to null"
            )
        if self.label_map:
            raise ValueError("label_threshold: label_map is never asked beside it; take one of them away")
        return self

    @model_validator(mode="after")
    def _rare_classes_fit(self) -> DataConfig:
        if self.rare_classes == OTHER and OTHER not in self.labels:
            raise ValueError(
                f"rare_classes: {OTHER!r} is not in data.labels ({', '.join(self.labels)}); add it there, or set "
                f"rare_classes to drop{did_you_mean(OTHER, self.labels)}"
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
    def text_columns(self) -> dict[str, str]:
        """By the name of each feature of text that the model takes, the column that it is from."""
        columns = {"text": self.text_column, "text_pair": self.text_pair_column}
        return {feature: column for feature, column in columns.items() if column is not None}

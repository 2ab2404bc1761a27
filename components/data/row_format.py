"""Which columns of the data files are wanted, which labels there are, and how CSV files among them are written."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from fullbake.components.data.dialect import RFC_4180, Dialect
from fullbake.components.data.row_slices import NO_SLICES, RowSlices
from fullbake.contract.errors import InputError
from fullbake.contract.nearest import did_you_mean
from fullbake.contract.setting_names import SettingNames, setting_names

NULL_VALUES = (
    *("NULL", "Null", "null", "(null)", "\\N"),  # SQL and what exports its tables; \N is MySQL's and PostgreSQL's
    *("NaN", "nan", "-NaN", "-nan", "NaT", "<NA>"),  # pandas and NumPy
    *("NA", "N/A", "n/a", "#N/A", "#N/A N/A", "#NA"),  # R and spreadsheets
)
"""What stands for a missing value where nothing else is said. `None` is not among them: many data sets have a class of
that name."""

MOST_LABELS = 1000
"""A column with more distinct values is no class: ImageNet's thousand is as many as classifiers are commonly given."""

OTHER = "other"
"""The label of rare classes where these are made one."""


@dataclass(frozen=True)
class RowFormat:
    """What a row is made of. It checks itself when made.

    Attributes:
        text_column: Name of the column with the text.
        label_column: Name of the column with the label.
        labels: The classes, in the order of their index. Empty: any label that is not empty is taken as it stands.
        text_pair_column: Name of the column with the second text of a pair; None for single texts.
        label_map: Value in the file -> label. It is asked before `labels`.
        dialect: How text files with columns (CSV) are written.
        labelled: Whether there are labels. If not, the label column need not be there.
        id_column: Name of the column by which the rows find their labels in another file, which has it too; None where
            there is none, or it has them line by line.
        null_values: Words that stand for a missing value, in labels and texts; white space around a cell does not
            count. A label that is listed in `labels`, or a value in `label_map`, is no such word.
        label_threshold: If set, labels are numbers: from this one on the second of two labels, below it the first.
        label_columns: Names of the columns of a multi-label format, one for each of `labels`, in their order; each says
            of a row whether it has the label: 0 or 1, false or true, or a number if `label_threshold` is set. Empty:
            `label_column` has the label. Beside it, `label_column` counts for nothing.
        label_separator: What stands between the labels of a row in `label_column`, which then has any number of them,
            also none; None: it has one.
        missing_label: What a cell of `label_columns` that is empty, -1 or one of `null_values` is: "fail" (the row is
            bad) or "mask" (nobody knows whether the row has the label, and nothing is learned or measured of it).
        votes: Name of a column -> the label that it counts the votes for; or -> None: the column has one annotator's
            vote, a label as `label_column` would have it. The label with the most votes is the row's, which is why
            `label_column` counts for nothing. Empty: nobody votes.
        rare_classes: What a row with a label that is not listed is: "fail" (bad), "drop" (not used) or "other" (of the
            class `OTHER`, which is listed).
        slices: What makes the slices of a row.
        names: What settings are called where a row is said to be bad, also in the processes of Beam's workers. Default:
            what they are called here and now. It is no part of `to_dict`.

    Raises:
        InputError: A label that must be listed and is not, a threshold of one column without exactly two labels or with
            a map, not as many columns of labels as labels.
    """

    text_column: str
    label_column: str
    labels: tuple[str, ...]
    text_pair_column: str | None = None
    label_map: Mapping[str, str] = field(default_factory=dict)
    dialect: Dialect = RFC_4180
    labelled: bool = True
    id_column: str | None = None
    null_values: tuple[str, ...] = NULL_VALUES
    label_threshold: float | None = None
    label_columns: tuple[str, ...] = ()
    label_separator: str | None = None
    missing_label: str = "fail"
    votes: Mapping[str, str | None] = field(default_factory=dict)
    rare_classes: str = "fail"
    slices: RowSlices = NO_SLICES
    names: Mapping[str, str] = field(default_factory=lambda: SettingNames(setting_names()), compare=False, repr=False)

    def __post_init__(self) -> None:
        """Refuses what no row could be judged by."""
        if self.rare_classes == OTHER and self.labels and OTHER not in self.labels:
            raise InputError("{other!r} is not in {labels}; add it", field="rare_classes", other=OTHER)
        for value, label in self.label_map.items():
            if self.labels and label not in self.labels:
                raise InputError(
                    "{value!r} maps to {label!r}, which is not in {labels}{meant}",
                    field="label_map",
                    value=value,
                    label=label,
                    meant=did_you_mean(label, self.labels),
                )
        if self.label_columns:
            if len(self.label_columns) != len(self.labels):
                raise InputError("name one column for each of {labels}, in their order", field="label_columns")
        elif self.label_threshold is not None and (len(self.labels) != 2 or self.label_map):
            raise InputError(
                "it makes two classes of numbers: give exactly two {labels}, the lower first, and no {label_map}",
                field="label_threshold",
            )

    @property
    def multi_label(self) -> bool:
        """Whether a row can have any number of labels."""
        return bool(self.label_columns) or self.label_separator is not None

    @property
    def columns_with_labels(self) -> tuple[str, ...]:
        """The columns that say which label a row has, or which labels; one for all but `label_columns` and `votes`."""
        return self.label_columns or tuple(self.votes) or (self.label_column,)

    @property
    def setting_of_labels(self) -> str:
        """The setting that names them."""
        return "label_columns" if self.label_columns else "votes" if self.votes else "label_column"

    @property
    def wanted(self) -> list[tuple[str, str]]:
        """The columns that are read of a file, each with the setting that names it."""
        columns = [] if self.text_column == self.id_column else [("text_column", self.text_column)]
        if self.id_column is not None:
            columns.append(("id_column", self.id_column))
        if self.labelled:
            columns += [(self.setting_of_labels, column) for column in self.columns_with_labels]
        if self.text_pair_column is not None:
            columns.append(("text_pair_column", self.text_pair_column))
        return columns + self.slices.wanted

    def renamed(self, names: Sequence[str]) -> "RowFormat":
        """Returns the same with other names of the columns, in the order of `wanted`."""
        found: dict[str, list[str]] = {}
        for (setting, _), name in zip(self.wanted, names, strict=True):
            found.setdefault(setting, []).append(name)
        slices = replace(
            self.slices,
            columns=tuple(found.pop("slices", ())),
            identities=tuple(found.pop("identity_columns", ())),
        )
        changed: dict[str, Any] = {setting: columns[0] for setting, columns in found.items()} | {"slices": slices}
        if self.label_columns:
            changed["label_columns"] = tuple(found["label_columns"])
        elif self.votes:
            changed["votes"] = dict(zip(found["votes"], self.votes.values(), strict=True))
        return replace(self, **changed)

    def to_dict(self) -> dict[str, Any]:
        """Returns the format as a dictionary that JSON can hold."""
        return {key: value for key, value in asdict(self).items() if key != "names"}

    def unlabelled(self) -> "RowFormat":
        """Returns the same for files of which the text column alone is wanted."""
        return replace(self, labelled=False, text_pair_column=None, id_column=None, slices=NO_SLICES)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "RowFormat":
        """Returns the format that `to_dict` gave these values for, also after a trip through JSON."""
        lists = {key: tuple(values[key]) for key in ("labels", "null_values", "label_columns")}
        slices = RowSlices.from_dict(values["slices"])
        return cls(**{**values, **lists, "dialect": Dialect.from_dict(values["dialect"]), "slices": slices})

"""Which columns of the data files are wanted, which labels there are, and how CSV files among them are written."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from fullbake.components.data.dialect import RFC_4180, Dialect
from fullbake.contract.errors import InputError
from fullbake.contract.nearest import did_you_mean
from fullbake.contract.setting_names import SettingNames, setting_names

MOST_LABELS = 1000
"""A column with more distinct values is no class: ImageNet's thousand is as many as classifiers are commonly given."""


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
        names: What settings are called where a row is said to be bad, also in the processes of Beam's workers. Default:
            what they are called here and now. It is no part of `to_dict`.

    Raises:
        InputError: A map to a label that is not listed.
    """

    text_column: str
    label_column: str
    labels: tuple[str, ...]
    text_pair_column: str | None = None
    label_map: Mapping[str, str] = field(default_factory=dict)
    dialect: Dialect = RFC_4180
    labelled: bool = True
    id_column: str | None = None
    names: Mapping[str, str] = field(default_factory=lambda: SettingNames(setting_names()), compare=False, repr=False)

    def __post_init__(self) -> None:
        """Refuses what no row could be judged by."""
        for value, label in self.label_map.items():
            if self.labels and label not in self.labels:
                raise InputError(
                    "{value!r} maps to {label!r}, which is not in {labels}{meant}",
                    field="label_map",
                    value=value,
                    label=label,
                    meant=did_you_mean(label, self.labels),
                )

    @property
    def wanted(self) -> dict[str, str]:
        """By the name of its setting, each column that is read of a file."""
        columns = {} if self.text_column == self.id_column else {"text_column": self.text_column}
        if self.id_column is not None:
            columns["id_column"] = self.id_column
        if self.labelled:
            columns["label_column"] = self.label_column
        if self.text_pair_column is not None:
            columns["text_pair_column"] = self.text_pair_column
        return columns

    def to_dict(self) -> dict[str, Any]:
        """Returns the format as a dictionary that JSON can hold."""
        return {key: value for key, value in asdict(self).items() if key != "names"}

    def unlabelled(self) -> "RowFormat":
        """Returns the same for files of which the text column alone is wanted."""
        return replace(self, labelled=False, text_pair_column=None, id_column=None)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "RowFormat":
        """Returns the format that `to_dict` gave these values for, also after a trip through JSON."""
        return cls(**{**values, "labels": tuple(values["labels"]), "dialect": Dialect.from_dict(values["dialect"])})

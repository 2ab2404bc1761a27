"""Data files of which a config is made."""

from __future__ import annotations

from dataclasses import dataclass, field

from fullbake.components.data.data_file import DataFile
from fullbake.components.data.label_place import IN_COLUMNS, LabelPlace


@dataclass
class FirstSource:
    """Data files, and how a config names them.

    Attributes:
        name: What they are called together.
        input_base: The folder.
        pattern: Which files in it.
        files: These files, sorted.
        test_base: The folder of a test set; None if there is none.
        place: Where the labels are.
        notes: What should be known of what was chosen, a sentence each.
    """

    name: str
    input_base: str
    pattern: str
    files: list[DataFile]
    test_base: str | None = None
    place: LabelPlace = IN_COLUMNS
    notes: list[str] = field(default_factory=list)

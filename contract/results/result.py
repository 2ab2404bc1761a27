"""The base of all results: immutable, typed, and the same in JSON whoever writes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

if TYPE_CHECKING:
    from typing_extensions import Self

Interval = tuple[float, float]
"""The lower and the upper end of where a true value lies."""


SINGLE_LABEL: Final = "single_label"
MULTI_LABEL: Final = "multi_label"

Task = Literal["single_label", "multi_label"]
"""Whether a row has one label or any number of them."""


class Result(BaseModel):
    """A result, or a part of one. Keys that it does not know are passed over: they are of another release."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values for JSON, in the order of the fields."""
        return self.model_dump()


class ResultFile(Result):
    """A result that has a file of its own; where the file is, and on which file system, is the caller's to know.

    Attributes:
        FILE: The file's name.
        INDENT: Of its JSON; None: all in one line.
        ASCII: Whether other characters are escaped in it.
    """

    FILE: ClassVar[str]
    INDENT: ClassVar[int | None] = None
    ASCII: ClassVar[bool] = True

    def to_json(self) -> str:
        """Returns the content of the file. Numbers that are none are written as Python does: NaN, Infinity."""
        return json.dumps(self.to_dict(), indent=self.INDENT, ensure_ascii=self.ASCII)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Makes it of the content of a file.

        Raises:
            ValueError: It is no JSON, or it lacks a key or has a value of another type; the message names file and key.
        """
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Makes it of parsed JSON.

        Raises:
            ValueError: A key lacks, or a value has another type; the message names file and key.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ValueError(fault_in_words(cls.FILE, error)) from error


def fault_in_words(file: str, error: ValidationError) -> str:
    """Returns in one line what is wrong with the content of a file: the keys that a place lacks, or a wrong value."""
    faults = error.errors()
    missing = [fault for fault in faults if fault["type"] == "missing"]
    if not missing:
        return f"{file}: {'.'.join(map(str, faults[0]['loc']))}: {faults[0]['msg']}"
    place = missing[0]["loc"][:-1]
    keys = sorted(str(fault["loc"][-1]) for fault in missing if fault["loc"][:-1] == place)
    where = "".join(f"{part}: " for part in place)
    return f"{file}: {where}lacks {', '.join(keys)} (it has: {', '.join(sorted(missing[0]['input']))})"

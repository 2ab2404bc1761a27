"""Which slices a row is in: parts of the data that are measured by themselves."""

from collections.abc import Mapping
from dataclasses import dataclass

MOST_SLICES = 1000
"""A column with more distinct values makes no slices: hardly one would have the rows to tell anything of it. As many as
`row_format.MOST_LABELS`."""

OF_IDENTITY = 0.5
"""From this share of annotators on that see an identity mentioned, a text counts as of it, as Borkan et al. (2019, see
`components.evaluation.bias`) count."""


@dataclass(frozen=True)
class RowSlices:
    """What makes the slices of rows. It is false where nothing does.

    Attributes:
        columns: The columns of which each value is a slice, named such as "channel=forum". A cell without a value is in
            none.
        identities: The columns that say with a number from 0 to 1, or true or false, whether a text mentions an
            identity: from `OF_IDENTITY` on it is in the slice of the column's name. A cell without a value says no.
        lengths: In rising order, the lengths of texts in characters at which one slice ends and the next begins.
    """

    columns: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()
    lengths: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.columns or self.identities or self.lengths)

    @property
    def wanted(self) -> list[tuple[str, str]]:
        """The columns that are read of a file, each with the setting that names it."""
        return [
            *(("slices", column) for column in self.columns),
            *(("identity_columns", column) for column in self.identities),
        ]

    @property
    def identity_names(self) -> tuple[str, ...]:
        """The names of the slices that are identities."""
        return tuple(column.strip() for column in self.identities)

    @classmethod
    def from_dict(cls, values: Mapping[str, list[str] | list[int]]) -> "RowSlices":
        """Returns what `dataclasses.asdict` gave these values for, also after a trip through JSON."""
        return cls(**{name: tuple(of_name) for name, of_name in values.items()})  # type: ignore[arg-type]

    def length_slice(self, text: str) -> str:
        """Returns the name of the slice of a text's length.

        Example:
            >>> [RowSlices(lengths=(2, 4)).length_slice(text) for text in ("a", "abc", "abcd")]
            ['length<2', 'length 2-3', 'length>=4']
        """
        below = [edge for edge in self.lengths if edge <= len(text)]
        if not below:
            return f"length<{self.lengths[0]}"
        if len(below) == len(self.lengths):
            return f"length>={below[-1]}"
        return f"length {below[-1]}-{self.lengths[len(below)] - 1}"


NO_SLICES = RowSlices()

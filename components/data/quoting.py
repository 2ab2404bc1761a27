"""What the double quotes of a CSV file mean."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Quoting:
    """What the double quotes of one file mean.

    Attributes:
        ordinary: Whether they are characters like any other, as in most TSV; otherwise they quote fields, which may
            then span lines (RFC 4180).
        joined: Where they quote fields: the first lines of those records that are to be given up, because their lines
            look like rows of their own.
    """

    ordinary: bool = False
    joined: frozenset[int] = frozenset()


STANDARD, ORDINARY = Quoting(), Quoting(ordinary=True)

QUOTINGS = {"auto": None, "standard": STANDARD, "none": ORDINARY}
"""What the config and the command line call them; auto is found out, file by file."""

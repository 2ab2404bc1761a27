"""Lists of names for people: some of them, and how many more there are."""

from collections.abc import Sequence


def named_few(names: Sequence[str], most: int = 5, separator: str = ", ") -> str:
    """Returns some names of a list.

    Args:
        names: What to call each.
        most: How many are said. Of the others, only how many there are.
        separator: What stands between them.

    Example:
        >>> named_few(["a", "b", "c", "d"], most=2)
        'a, b and 2 more'
    """
    more = len(names) - most
    return separator.join(names[:most]) + (f" and {more:,} more" if more > 0 else "")

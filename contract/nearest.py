"""The known name that is nearest to one that is not known, for errors about a slip of the pen."""

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """Returns the known name that is most like another, or None where none is like it.

    Args:
        name: The name that is not known.
        known: The names that are.
        likeness: The least ratio of difflib at which two names are alike, from 0 to 1. Default: difflib's own.
    """
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=likeness)
    return found[0] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Returns the question that ends an error about an unknown name; nothing where no known one is like it.

    Example:
        >>> did_you_mean("lable", ["text", "label"])
        "; did you mean 'label'?"
    """
    found = nearest(name, known)
    return "" if found is None else f"; did you mean {found!r}?"

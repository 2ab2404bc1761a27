"""Numbers in the cells of a file."""

import math


def finite_number(value: str) -> float | None:
    """Returns the number that a cell holds; None if it holds none, or one that is not finite."""
    try:
        number = float(value)
    except ValueError:
        return None
    # Python reads 1_000 as a number; no file has one written so.
    return number if math.isfinite(number) and "_" not in value else None

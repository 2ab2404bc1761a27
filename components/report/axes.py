"""Where the axes of a picture carry numbers, and how these are written."""

from __future__ import annotations

import math


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Returns round numbers (1, 2, 5 times a power of ten apart) from `low` to `high`, roughly `about` of them."""
    if high <= low:
        return [low]
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Returns round numbers for a logarithmic axis: 1, 2 and 5 times powers of ten, or the powers alone.

    Args:
        low: The axis's start, above 0.
        high: Its end. Where so short a range holds fewer than two such numbers, it gets those of a linear axis.
        most: How many numbers are too close together.
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1,)):
        values = [round(factor * 10.0**power, 12) for power in powers for factor in factors]
        values = [value for value in values if low <= value <= high]
        if len(values) <= most:
            break
    return values if len(values) > 1 else ticks(low, high)


def tick_label(value: float) -> str:
    """Returns the number as an axis carries it; in full, a large one would not fit beside the axis."""
    if value and abs(value) < 1e-3:
        return f"{value:.0e}".replace("e-0", "e-")
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:,.10g}{unit}"
    return f"{value:,.10g}"

"""How numbers are written for people."""

from __future__ import annotations

import math
from datetime import datetime


def number(value: float | None, digits: int = 2) -> str:
    """Returns it with two decimals; more where two would turn almost all into all, or little into nothing."""
    if value is None or not math.isfinite(value):
        return "–"
    while digits < 4 and value not in (0, 1) and float(f"{value:.{digits}f}") in (0, 1):
        digits += 1
    return f"{value:.{digits}f}"


def percent(value: float) -> str:
    """Returns a share with one decimal, or none where it is whole."""
    return f"{100 * value:.1f}%".replace(".0%", "%")


def change(value: float) -> str:
    """Returns a difference of shares with its sign."""
    return f"{round(value, 3) + 0.0:+.3f}".replace("-", "−")


def count(value: float) -> str:
    """Returns a whole number with its thousands apart."""
    return f"{value:,}"


def rate(value: float) -> str:
    """Returns a learning rate with three digits."""
    return f"{value:.3g}".replace("e-0", "e-").replace("e+0", "e+")


def perplexity(value: float) -> str:
    """Returns a perplexity; a large one without decimals."""
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def day(stamp: str) -> str:
    """Returns a time in ISO 8601 as people write it; another text as it is."""
    try:
        return f"{datetime.fromisoformat(stamp.replace('Z', '+00:00')):%Y-%m-%d %H:%M %Z}".strip()
    except ValueError:
        return stamp

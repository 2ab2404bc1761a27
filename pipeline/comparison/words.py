"""Numbers as the table, the page and the sentences write them."""

from __future__ import annotations


def signed(difference: float) -> str:
    """Returns a difference with its sign and three decimals; never "-0.000"."""
    return f"{round(difference, 3) + 0.0:+.3f}"


def p_words(p: float) -> str:
    """Returns a p value as it is written in a sentence."""
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.3f}" if p < 0.01 else f"p = {p:.2f}"


def one_line(text: str) -> str:
    """Returns a text without line breaks and repeated spaces."""
    return " ".join(text.split())

"""How long the texts are, how many were cut, and how well the vocabulary fits them."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from markupsafe import Markup

from fullbake.components.report.plot import Plot
from fullbake.components.report.section import Section
from fullbake.components.tokenizer.scripts import NO_LETTERS
from fullbake.contract.results.report import Report
from fullbake.contract.results.tokens import TokenCount


def quantile(counts: Sequence[int], share: float) -> int:
    """Returns the least length that at least this share of the counted texts does not exceed."""
    return bisect_left(list(accumulate(counts)), share * sum(counts) - 1e-9)


def lengths_svg(counts: Sequence[int], max_length: int, alt: str) -> Markup | None:
    """Draws how many training texts have how many tokens, with the limit beyond which text is cut."""
    filled = [length for length, rows in enumerate(counts) if rows]
    if not filled:
        return None
    end = filled[-1] + 1
    if filled[-1] >= max_length / 2:
        end = max(end, min(max_length + 1, len(counts)))
    width = next((w for w in (1, 2, 4, 5, 8, 10, 16, 20, 25, 32, 50, 64, 100) if end / w <= 52), math.ceil(end / 52))
    bars = [(start, sum(counts[start : min(start + width, end)])) for start in range(0, end, width)]
    plot = Plot((0, bars[-1][0] + width), (0, max(n for _, n in bars) * 1.08), "tokens in a text", "texts")
    for start, rows in bars:
        last = min(start + width, end) - 1
        name = f"{start}" if width == 1 else f"{start}–{last}"
        if last == len(counts) - 1:
            name = f"{start} or more"
        plot.bar(
            start, start + width, rows, "cut" if last > max_length else "plain-bar", f"{name} tokens: {rows:,} texts"
        )
    if max_length < bars[-1][0] + width:
        plot.upright(max_length + 1, f"limit {max_length}")
    return plot.svg(alt)


def _context(report: Report) -> Mapping[str, Any] | None:
    lengths = report.lengths
    if lengths is None or not lengths.rows:
        return None
    half, nearly_all = quantile(lengths.counts, 0.5), quantile(lengths.counts, 0.95)
    alt = (
        f"Histogram of text lengths: half have at most {half} tokens, 95% at most {nearly_all}; "
        f"{lengths.truncated} of {lengths.rows} were cut."
    )
    notes, scripts = _tokens(report)
    return {
        "lengths": lengths,
        "notes": notes,
        "scripts": scripts,
        "half": half,
        "nearly_all": nearly_all,
        "picture": lengths_svg(lengths.counts, lengths.max_length, alt),
    }


def _tokens(report: Report) -> tuple[Sequence[str], Mapping[str, TokenCount]]:
    """Returns what to say of the tokens, and the table of scripts; nothing of one script of which no text is cut."""
    if report.tokens is None:
        return (), {}
    scripts = report.tokens.scripts
    told = report.tokens.notes or len(scripts.keys() - {NO_LETTERS}) > 1 or any(row.cut for row in scripts.values())
    return report.tokens.notes, scripts if told else {}


SECTION = Section(_context, "Text lengths", "lengths")

"""What further pre-training did to the base."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from fullbake.components.report.encoder_shift import shift_of
from fullbake.components.report.plot import Plot, finite
from fullbake.components.report.section import Section
from fullbake.contract.results.pretraining import Perplexity
from fullbake.contract.results.report import Report
from fullbake.contract.setting_names import setting_names


def perplexity_svg(evaluations: Sequence[Perplexity]) -> Markup | None:
    """Draws perplexity by epoch, on a logarithmic axis; None where fewer than two were measured."""
    points = [(x, y) for x, y in finite((one.epoch, one.perplexity) for one in evaluations) if y > 0]
    if len(points) < 2:
        return None
    values, end = [y for _, y in points], points[-1][0]
    room = 1.15  # above and below the curve
    epochs = range(0, math.floor(end) + 1, max(1, math.ceil(end / 10)))
    plot = Plot(
        (0, end * 1.02),
        (min(values) / room, max(values) * room),
        "epoch",
        "perplexity on texts kept aside",
        epochs if len(epochs) > 1 else None,
        height=230,
        log_y=True,
    )
    plot.line(points, "s0", dots=True)
    return plot.svg("Perplexity by epoch: " + ", ".join(f"{y:.4g} after {x:g}" for x, y in points))


def _context(report: Report) -> Mapping[str, Any] | None:
    pretraining = report.pretraining
    if pretraining is None:
        return None
    return {
        "pretraining": pretraining,
        "measured": pretraining.evaluations,
        "picture": perplexity_svg(pretraining.evaluations),
        "shift": shift_of(pretraining.encoder_shift, setting_names()["pretraining_learning_rate"]),
    }


SECTION = Section(_context, "Further pre-training", "pretraining")

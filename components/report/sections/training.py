"""How training went, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fullbake.components.report.encoder_shift import shift_of
from fullbake.components.report.plot import Figure, Legend, Plot, Point, finite
from fullbake.components.report.section import Section
from fullbake.contract.results.report import Report
from fullbake.contract.results.training import Epoch
from fullbake.contract.setting_names import setting_names


def training_figures(epochs: Sequence[Epoch], kept: int | None) -> list[Figure]:
    """Draws loss, quality and learning rate by epoch, with a line at the epoch that was kept."""
    wanted: list[tuple[str, dict[str, str]]] = [
        ("loss", {"on training texts": "loss", "on texts kept aside": "eval_loss"}),
        ("on texts kept aside", {"accuracy": "eval_accuracy", "mean recall": "eval_macro_recall"}),
        ("learning rate", {"learning rate": "learning_rate"}),
    ]
    figures = []
    for label, keys in wanted:
        series = {name: [(epoch.epoch, getattr(epoch, key)) for epoch in epochs] for name, key in keys.items()}
        curves = {name: finite(points) for name, points in series.items()}
        curves = {name: points for name, points in curves.items() if points}
        if curves:
            top = 1.0 if "accuracy" in keys else 1.12 * max(y for points in curves.values() for _, y in points)
            figures.append(_epochs_figure(curves, label, top or 1.0, kept))
    return figures


def _epochs_figure(curves: Mapping[str, Sequence[Point]], y_label: str, top: float, kept: int | None) -> Figure:
    epochs = sorted({x for points in curves.values() for x, _ in points})
    margin, skip = (0.25 if len(epochs) > 1 else 0.5), math.ceil(len(epochs) / 10)
    plot = Plot(
        (epochs[0] - margin, epochs[-1] + margin), (0, top), "epoch", y_label, epochs[::skip], width=320, height=230
    )
    if kept is not None and len(epochs) > 1:
        plot.upright(kept, "kept")
    for index, points in enumerate(curves.values()):
        plot.line(points, f"s{index}", dots=True)
    said = "; ".join(f"{name}: " + ", ".join(f"{y:.4g}" for _, y in points) for name, points in curves.items())
    legend = [Legend(f"s{index} dotted", name) for index, name in enumerate(curves)]
    return Figure(plot.svg(f"{y_label} by epoch. {said}"), legend if len(legend) > 1 else [])


def _context(report: Report) -> Mapping[str, Any] | None:
    training = report.training
    if training is None:
        return None
    return {
        "training": training,
        "figures": training_figures(training.epochs, training.best_epoch),
        "shift": shift_of(training.encoder_shift, setting_names()["learning_rate"]),
    }


SECTION = Section(_context, "Training", "training")

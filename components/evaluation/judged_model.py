"""A model held against the gate by what was measured of it, and what pushed it to its mistakes."""

from __future__ import annotations

import os
from typing import Any

from tfx.dsl.io import fileio
from tfx.utils import io_utils

from fullbake.components.evaluation.explained_mistakes import explain_mistakes, served
from fullbake.components.evaluation.gate import GateSpec, judge
from fullbake.components.evaluation.slice_gate import judge_slices
from fullbake.components.evaluation.slice_measures import SLICES
from fullbake.components.evaluation.summary import shares, summarize
from fullbake.contract.names import MISTAKES_FILE
from fullbake.contract.results.about import About
from fullbake.contract.results.evaluation import BaselineRecall, Evaluation
from fullbake.contract.results.mistakes import Mistakes
from fullbake.trainer.tasks.multi_label import HALF


def judge_model(
    measured: dict[str, Any],
    gate: GateSpec,
    about: About,
    *,
    baseline: BaselineRecall | None = None,
    baseline_note: str | None = None,
) -> Evaluation:
    """Holds a model against its bounds.

    Args:
        measured: What `measuring.read_metrics` returned of it.
        gate: The bounds.
        about: What the model says of itself.
        baseline: How the model in production did on the same rows; None: there is none.
        baseline_note: What people should know of that.
    """
    recall, precision = shares(measured, gate.labels)
    bounds = judge(gate, recall, precision, baseline.recall if baseline else None)
    sliced: dict[str, Any] = {}
    if gate.sliced:
        slices = measured[SLICES]
        verdict = judge_slices(gate, slices)
        bounds += verdict.bounds
        sliced = {**slices._asdict(), "worst_slice": verdict.worst, "slice_notes": verdict.notes}
    return summarize(
        measured,
        gate.labels,
        bounds=bounds,
        decision_threshold=about.decision_threshold,
        decision_thresholds={
            label: about.decision_thresholds.get(label, HALF) for label in gate.labels if gate.multi_label
        },
        temperature=about.temperature,
        baseline=baseline,
        baseline_note=baseline_note,
        **sliced,
    )


def explain_in_place(folder: str, model: str, gate: GateSpec) -> None:
    """Adds to the `mistakes.json` of a folder what pushed the model to the hardest of them.

    Args:
        folder: Where `served_metrics.add_measuring` wrote it.
        model: The folder of the SavedModel.
        gate: The labels.
    """
    file = os.path.join(folder, MISTAKES_FILE)
    with fileio.open(file) as stream:
        mistakes = Mistakes.from_json(stream.read())
    explained = explain_mistakes(mistakes, served(model), gate.labels, gate.multi_label)
    io_utils.write_string_file(file, explained.to_json())

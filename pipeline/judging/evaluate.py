"""Judges a pushed model on a labelled file, or compares two."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fullbake.pipeline.judging.judging_options import JudgingOptions
from fullbake.pipeline.judging.judging_plan import plan_judging

if TYPE_CHECKING:
    from fullbake.pipeline.judging.judgement import Judgement
    from fullbake.pipeline.judging.judging import OnProgress


def evaluate(
    model: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    file: str | os.PathLike[str],
    *,
    text: str | None = None,
    text_pair: str | None = None,
    label: str | None = None,
    config: str | os.PathLike[str] | None = None,
    overrides: Sequence[str] = (),
    min_recall: Mapping[str, float] | None = None,
    min_precision: Mapping[str, float] | None = None,
    confidence: float | None = None,
    slices: Sequence[str] = (),
    without_slices: bool = False,
    on_bad_row: str | None = None,
    max_bad_fraction: float | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    quoting: str | None = None,
    output: str | os.PathLike[str] | None = None,
    on_progress: OnProgress = lambda stage, done, rows: None,
) -> Judgement:
    """Judges a pushed model on a labelled file, as the gate of its run judged it on the test split.

    What is not said is as in the model's training, or as the config has it.

    Args:
        model: A version's folder, a serving folder or an output root; or two of them: the first is judged, and compared
            row by row with the second.
        file: The labelled file, of any format that a run reads.
        text: The column of the text.
        text_pair: The column of the second text.
        label: The column of the label.
        config: A config whose sections `data` and `gate` say how the file is read and what is asked of the model.
        overrides: Of its keys, `key.path=value` each.
        min_recall: By label, a bound that replaces the one that the model met when it was pushed.
        min_precision: Likewise.
        confidence: That of the gate.
        slices: Columns that make slices.
        without_slices: Whether there are no slices, although there were in training.
        on_bad_row: "fail" (the default) or "quarantine".
        max_bad_fraction: The share of bad rows beyond which quarantine stops, too. Default: 0.01.
        delimiter: Of the file. Default: found out, and so the next two.
        encoding: Likewise.
        quoting: Likewise.
        output: A new folder for the report. Default: one below `evaluations/`, named after the model and the time.
        on_progress: Called as it goes on, with what is done and how many rows of how many.

    Raises:
        InputError: Any of it cannot be used.
    """
    several = [model] if isinstance(model, str | os.PathLike) else list(model)
    options = JudgingOptions(
        text=text,
        text_pair=text_pair,
        label=label,
        config=None if config is None else Path(config),
        overrides=tuple(overrides),
        min_recall=dict(min_recall or {}),
        min_precision=dict(min_precision or {}),
        confidence=confidence,
        slices=tuple(slices),
        without_slices=without_slices,
        on_bad_row=on_bad_row,
        max_bad_fraction=max_bad_fraction,
        delimiter=delimiter,
        encoding=encoding,
        quoting=quoting,
    )
    plan = plan_judging(
        [os.fspath(one) for one in several], Path(file), options, None if output is None else Path(output)
    )
    from fullbake.pipeline.judging.judging import judge_file

    return judge_file(plan, on_progress)

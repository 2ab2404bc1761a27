"""Reads a file as a run reads its test split, and judges models as the Evaluator judges them."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from fullbake.components.evaluation.gate import GateSpec, too_few_rows
from fullbake.components.evaluation.judged_model import explain_in_place, judge_model
from fullbake.components.evaluation.measuring import read_metrics
from fullbake.components.evaluation.paired_share import paired_share
from fullbake.components.evaluation.row_progress import listening
from fullbake.components.evaluation.served_metrics import BASELINE, CANDIDATE, add_measuring
from fullbake.components.nodes.config_schema import make_schema
from fullbake.components.report.page import render
from fullbake.components.serving.plain_path import plain_path
from fullbake.contract import names
from fullbake.contract.errors import InputError
from fullbake.contract.named_few import named_few
from fullbake.contract.results.evaluation import Evaluation
from fullbake.contract.results.ingest import Ingest
from fullbake.contract.results.mistakes import Mistakes
from fullbake.contract.results.paired import Paired
from fullbake.contract.results.pairs import Pairs
from fullbake.contract.results.report import Report
from fullbake.contract.setting_names import settings_named
from fullbake.pipeline.beam_engine import beam_engine
from fullbake.pipeline.component_log import ComponentLog
from fullbake.pipeline.judging.judgement import Judgement
from fullbake.pipeline.judging.judging_plan import JudgingPlan
from fullbake.pipeline.judging.read_examples import read_examples

OTHER_COLUMN = "decided_by_other"
"""Of `predictions.csv`, where two models are compared."""

OnProgress = Callable[[str, int, int], None]
"""Called with what is done, and how many rows of how many it is done with; 0 of 0 where nobody counts."""


def judge_file(plan: JudgingPlan, on_progress: OnProgress = lambda stage, done, rows: None) -> Judgement:
    """Judges the first model of a plan, and compares it with the second, if there is one.

    Memory does not grow with the file but for some 60 bytes a row, and what slices and several labels take.

    Args:
        plan: What is judged.
        on_progress: Called as it goes on.

    Returns:
        What came out. `report.html`, `evaluation.json`, `predictions.csv` and, where rows were rejected,
        `rejected.csv` are in its folder.

    Raises:
        InputError: The file's rows cannot be used.
    """
    names_of_settings = plan.row_format.names
    try:
        with _working() as (scratch, args), settings_named(names_of_settings):
            return _judge(plan, scratch, args, on_progress)
    except InputError as error:
        raise InputError(error.text(names_of_settings)) from error


@contextlib.contextmanager
def _working() -> Iterator[tuple[Path, list[str]]]:
    with (
        tempfile.TemporaryDirectory(prefix="fullbake-evaluate-") as folder,
        beam_engine([]) as args,
        # Libraries log into a file that nobody keeps, rather than between the lines of the command.
        ComponentLog(Path(folder, "log"), [], lambda component, seconds: None),
    ):
        yield Path(folder), args


def _judge(plan: JudgingPlan, scratch: Path, args: list[str], on_progress: OnProgress) -> Judgement:
    def pipeline() -> beam.Pipeline:
        return beam.Pipeline(options=PipelineOptions(args))

    started = time.monotonic()
    on_progress(f"reading {plan.file.name}", 0, 0)
    examples = read_examples(plan, str(scratch / "examples"), pipeline)
    ingest = examples.ingest
    rows = ingest.examples[names.TEST_SPLIT]
    notes = [*plan.notes, *ingest.notes, *_notes_on_labels(ingest, plan.gate)]
    if plan.gate.confidence is not None and (few := too_few_rows(plan.gate, ingest.labels[names.TEST_SPLIT])):
        raise InputError("{problems}", problems="; ".join(few))
    notes += too_few_rows(plan.gate, ingest.labels[names.TEST_SPLIT])

    stage, done = f"judging {' and '.join(model.name for model in plan.models)}", 0

    def count_row() -> None:
        nonlocal done
        done += 1
        # The model labels as many rows at once, which then come one upon the other.
        if done % names.SLAB_ROWS == 0 or done == rows:
            on_progress(stage, done, rows)

    on_progress(stage, 0, rows)
    measured_folder = str(scratch / "measured")
    with contextlib.ExitStack() as opened:
        paths = [opened.enter_context(plain_path(model.path)) for model in plan.models]
        models = dict(zip((CANDIDATE, BASELINE), paths, strict=False))
        with listening(count_row), pipeline() as running:
            add_measuring(
                running,
                models,
                plan.gate,
                examples=[examples.artifact],
                schema=make_schema(
                    list(plan.gate.labels),
                    plan.row_format.text_pair_column is not None,
                    plan.gate.multi_label,
                    plan.gate.sliced,
                ),
                text_features=plan.models[0].about.text_features,
                baseline_labels=plan.models[-1].about.labels,
                output_folder=measured_folder,
                baseline_column=OTHER_COLUMN,
            )
        measured = read_metrics(measured_folder, list(models))
        on_progress("explaining the hardest mistakes", 0, 0)
        explain_in_place(measured_folder, paths[0], plan.gate)
    evaluation = judge_model(measured[CANDIDATE], plan.gate, plan.models[0].about)
    other, paired = _compared(plan, measured, measured_folder)
    judgement = Judgement(
        file=plan.file,
        models=tuple(model.path for model in plan.models),
        evaluation=evaluation,
        ingest=ingest,
        other=other,
        paired=paired,
        notes=tuple(dict.fromkeys(notes)),
        folder=plan.output,
        seconds=round(time.monotonic() - started, 1),
    )
    _write(judgement, plan, Path(measured_folder), Path(examples.rejected))
    return judgement


def _compared(plan: JudgingPlan, measured: dict[str, Any], folder: str) -> tuple[Evaluation | None, Paired | None]:
    """Returns how the second model does, and both row by row."""
    if len(plan.models) < 2:
        return None, None
    pairs = Pairs.from_json(Path(folder, names.PAIRS_FILE).read_bytes())
    first, second = plan.models
    paired = Paired(
        first=first.name,
        second=second.name,
        accuracy=paired_share(pairs.rows),
        recall={label: paired_share(counts) for label, counts in pairs.labels.items()},
    )
    gate = GateSpec(labels=plan.gate.labels, multi_label=plan.gate.multi_label)
    return judge_model(measured[BASELINE], gate, second.about), paired


def _notes_on_labels(ingest: Ingest, gate: GateSpec) -> list[str]:
    """Returns what the labels of the rows do not tell, a sentence each."""
    counts = ingest.labels[names.TEST_SPLIT]
    present = [label for label in gate.labels if counts[label]]
    absent = [f"'{label}'" for label in gate.labels if not counts[label]]
    notes = [f"no row has the label {named_few(absent)}: its recall cannot be measured"] if absent else []
    if not gate.multi_label and len(present) == 1:
        notes.append(f"every row has the label '{present[0]}': how often others are taken for it is not seen")
    masked = sum(ingest.masked.get(names.TEST_SPLIT, {}).values())
    if masked:
        notes.append(f"{masked:,} labels of rows are not known, and nothing is measured of them")
    return notes


def _write(judgement: Judgement, plan: JudgingPlan, measured: Path, rejected: Path) -> None:
    mistakes = Mistakes.from_json((measured / names.MISTAKES_FILE).read_bytes()) if plan.show_texts else None
    about = plan.models[0].about
    report = Report(
        title=plan.models[0].name,
        run=plan.output.name,
        created=judgement.created,
        base=about.base,
        evaluation=judgement.evaluation,
        mistakes=mistakes,
        ingest=judgement.ingest,
        versions=about.versions,
        judged_file=plan.file.name,
        paired=judgement.paired,
        notes=tuple(note for note in judgement.notes if note not in judgement.ingest.notes),
    )
    try:
        plan.output.mkdir(parents=True, exist_ok=True)
        if plan.show_texts:
            shutil.copyfile(measured / names.PREDICTIONS_FILE, plan.output / names.PREDICTIONS_FILE)
        if judgement.ingest.rejected:
            shutil.copyfile(rejected, plan.output / names.REJECTED_FILE)
        judgement.report.write_text(render(report), encoding="utf-8")
        (plan.output / names.EVALUATION_FILE).write_text(judgement.to_json(), encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"--output: {plan.output} cannot be written: {os.strerror(error.errno or 0)}; name another folder"
        ) from error

"""Each test text beside what was decided of it, from TFMA's own extracts: for people, and for `predictions.csv`."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from tfx.dsl.io import fileio

from fullbake.components.evaluation.hardest_mistakes import CollectMistakes
from fullbake.components.evaluation.paired_rows import CountPairs
from fullbake.components.evaluation.row_progress import row_done
from fullbake.contract.names import (
    LABEL_OUTPUT,
    LABELS_SEPARATOR,
    MASKED_LABEL,
    MISTAKES_FILE,
    PAIRS_FILE,
    PREDICTIONS_FILE,
    PROBABILITIES_OUTPUT,
)
from fullbake.contract.results.result import ResultFile

NOT_KNOWN = "not_known"
DECIDED = "decided"
IN_PRODUCTION = "in_production"


class TextPlan(NamedTuple):
    """What is kept of test texts.

    Attributes:
        labels: The labels in the order of their class index.
        bounded: Those of them with a bound on their recall.
        multi_label: Whether a row can have any number of them.
        text_features: The features that hold texts.
        model: The model's name, where TFMA evaluates several; "": it is the only one.
        production: The name of the one in production, or of another that it is compared with; "": there is none.
        production_column: What the column with that one's decisions is called.
    """

    labels: tuple[str, ...]
    bounded: tuple[str, ...]
    multi_label: bool
    text_features: tuple[str, ...]
    model: str = ""
    production: str = ""
    production_column: str = IN_PRODUCTION


class TextRow(NamedTuple):
    """A test row.

    Attributes:
        texts: By feature.
        truth: The labels that it has.
        masked: Those of which nobody knows whether it has them.
        decided: Those that it was given.
        scores: The probability of each label.
        production: The labels that the model in production gives it; None: there is none.
    """

    texts: dict[str, str]
    truth: tuple[str, ...]
    masked: tuple[str, ...]
    decided: tuple[str, ...]
    scores: tuple[float, ...]
    production: tuple[str, ...] | None

    def is_right(self, decided: Sequence[str]) -> bool:
        """Says whether these labels are all that the row has, of those that are known."""
        return set(self.truth) - set(self.masked) == set(decided) - set(self.masked)


def texts_evaluator(plan: TextPlan, folder: str) -> tfma.evaluators.Evaluator:
    """Returns what TFMA runs beside its metrics: it writes `predictions.csv` and `mistakes.json` into a folder.

    Where two models are compared, it writes `pairs.json`, too.

    The mistakes hold the whole texts, and nothing yet of what pushed the decisions (see `explained_mistakes`). Lines
    are written as they come; kept are only the hardest mistakes of each label.
    """

    @beam.ptransform_fn
    def keep_texts(extracts: beam.PCollection) -> dict[str, beam.PCollection]:
        rows = extracts | "ReadRows" >> beam.Map(read_row, plan)
        _ = (
            rows
            | "AsCsv" >> beam.Map(as_csv, plan)
            | "WritePredictions"
            >> beam.io.WriteToText(
                os.path.join(folder, PREDICTIONS_FILE), shard_name_template="", header=csv_header(plan)
            )
        )
        _ = (
            rows
            | "FindMistakes" >> beam.CombineGlobally(CollectMistakes(plan.labels, plan.bounded, plan.multi_label))
            | "WriteMistakes" >> beam.Map(_write, os.path.join(folder, MISTAKES_FILE))
        )
        if plan.production:
            _ = (
                rows
                | "CountPairs" >> beam.CombineGlobally(CountPairs(plan.labels, plan.multi_label))
                | "WritePairs" >> beam.Map(_write, os.path.join(folder, PAIRS_FILE))
            )
        return {}

    return tfma.evaluators.Evaluator(
        stage_name="KeepTexts",
        run_after=tfma.extractors.SLICE_KEY_EXTRACTOR_STAGE_NAME,
        ptransform=keep_texts(),
    )


def read_row(extracts: tfma.Extracts, plan: TextPlan) -> TextRow:
    """Reads a row from TFMA's extracts of one example."""
    row_done()
    features = extracts[tfma.FEATURES_KEY]
    predictions = _of_model(extracts[tfma.PREDICTIONS_KEY], plan.model)
    production = _of_model(extracts[tfma.PREDICTIONS_KEY], plan.production) if plan.production else None
    return TextRow(
        texts={name: "".join(_strings(features[name])) for name in plan.text_features},
        truth=_strings(_of_model(extracts[tfma.LABELS_KEY], plan.model)),
        masked=_strings(features.get(MASKED_LABEL)) if plan.multi_label else (),
        decided=_decided(predictions, plan.multi_label),
        # A diverged model returns NaN.
        scores=tuple(np.nan_to_num(np.ravel(predictions[PROBABILITIES_OUTPUT])).tolist()),
        production=None if production is None else _decided(production, plan.multi_label),
    )


def csv_header(plan: TextPlan) -> str:
    """Returns the line of column names: the texts, `label` (the true one), `decided`, and a `p_<label>` for each."""
    names = [*plan.text_features, "label", DECIDED]
    names += [NOT_KNOWN] if plan.multi_label else []
    names += [plan.production_column] if plan.production else []
    return _line([*names, *(f"p_{label}" for label in plan.labels)])


def as_csv(row: TextRow, plan: TextPlan) -> str:
    """Returns the row's line; several labels are joined by `LABELS_SEPARATOR`."""
    values = [*(row.texts[name] for name in plan.text_features), _joined(row.truth), _joined(row.decided)]
    values += [_joined(row.masked)] if plan.multi_label else []
    values += [_joined(row.production)] if row.production is not None else []
    return _line([*values, *(f"{score:.6g}" for score in row.scores)])


def _line(values: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(values)  # it puts breaks in quotes only if they are a part of its own ending
    return line.getvalue().removesuffix("\r\n")


def _joined(labels: Sequence[str]) -> str:
    return LABELS_SEPARATOR.join(labels)


def _of_model(values: Any, name: str) -> Any:
    """What TFMA keeps by model, where it evaluates several."""
    return values[name] if name else values


def _strings(values: Any) -> tuple[str, ...]:
    return () if values is None else tuple(value.decode(errors="replace") for value in np.ravel(values))


def _decided(predictions: Any, multi_label: bool) -> tuple[str, ...]:
    (label,) = _strings(predictions[LABEL_OUTPUT])
    return tuple(filter(None, label.split(LABELS_SEPARATOR))) if multi_label else (label,)


def _write(result: ResultFile, path: str) -> None:
    with fileio.open(path, "w") as file:
        file.write(result.to_json())

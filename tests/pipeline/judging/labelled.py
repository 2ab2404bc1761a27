"""Labelled files, and models whose decisions are known, for tests of how models are judged on files."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from fullbake.contract.names import ABOUT_FILE
from fullbake.contract.results.about import About, Labelling, Reading
from fullbake.contract.results.push import PushedBounds
from fullbake.pipeline.judging.evaluate import evaluate
from fullbake.pipeline.judging.judgement import Judgement
from tests.components.evaluating import CAREFUL, ROWS
from tests.components.test_servable_check import save_keyword_model

SINGLE = Reading(label_column="label", labelling=Labelling())


def write_file(file: Path, rows: Iterable[Sequence[str]], header=("label", "text"), delimiter: str = ",") -> Path:
    """Writes a CSV file."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, delimiter=delimiter)
        writer.writerows([header, *rows])
    return file


def pushed(folder: Path, rules=CAREFUL, *, reading: Reading = SINGLE, bounds=None, **settings) -> Path:
    """Saves a model as a run would have pushed it."""
    save_keyword_model(folder, rules, **settings)
    about_file = folder / ABOUT_FILE
    about = About.from_json(about_file.read_text())
    about_file.write_text(about.model_copy(update={"reading": reading}).to_json(), encoding="utf-8")
    if bounds is not None:
        kept = json.loads(PushedBounds.model_validate(bounds).model_dump_json())
        (folder / "assets.extra/push.json").write_text(json.dumps({"bounds": kept}))
    return folder


def judged(model: Path | list[Path], folder: Path, rows=ROWS, **options) -> Judgement:
    """Judges a model on rows of label and text."""
    return evaluate(model, write_file(folder / "rows.csv", rows), output=folder / "out", **options)


def predictions(judgement: Judgement) -> list[dict[str, str]]:
    """The rows of `predictions.csv`."""
    assert judgement.predictions
    with judgement.predictions.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))

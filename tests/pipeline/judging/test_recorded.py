"""What a model keeps of its training is enough to judge it on a file like those of its training."""

import json
from pathlib import Path

import pytest

from fullbake.components.evaluation.gate import GateSpec
from fullbake.contract.errors import InputError
from fullbake.contract.names import ABOUT_FILE
from fullbake.contract.results.about import About, Labelling, Reading
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.judging.evaluate import evaluate
from fullbake.pipeline.judging.judged_model import find_judged_model
from fullbake.pipeline.judging.judging_options import JudgingOptions
from fullbake.pipeline.judging.judging_plan import plan_judging
from tests.components.evaluating import ROWS
from tests.components.scored import evaluate_scored, random_rows, save_scored_model
from tests.pipeline.judging.labelled import pushed, write_file

SEVERAL = ("toxic", "insult", "threat")
CONFIG = {
    "name": "comments",
    "data": {
        **{"input_base": "data", "text_column": "words", "label_column": "class", "delimiter": ";"},
        **{"labels": ["fine", "rude", "odd"], "label_map": {"0": "fine", "1": "rude", "2": "odd"}},
        **{"null_values": ["-"], "rare_classes": "drop"},
    },
    "gate": {"min_recall": {"rude": 0.5}, "slices": ["channel"], "length_slices": [10], "max_recall_drop": None},
}


def test_a_file_is_read_as_the_config_of_training_would_have_it(tmp_path: Path):
    config = Config.model_validate(CONFIG)
    kept = Reading.model_validate(json.loads(json.dumps(config.reading.to_dict())))
    model = pushed(tmp_path / "serving/7", reading=kept, bounds={"min_recall": {"rude": 0.5}})
    about = find_judged_model(str(tmp_path)).about.model_copy(update={"text_columns": {"text": "words"}})
    (model / ABOUT_FILE).write_text(about.to_json(), encoding="utf-8")
    numbers = {"fine": "0", "rude": "1", "odd": "2"}
    rows = [(numbers[label], text, "forum") for label, text in ROWS]
    file = write_file(tmp_path / "rows.csv", rows, ("class", "words", "channel"), ";")
    plan = plan_judging([str(model)], file, JudgingOptions(), tmp_path / "out")
    assert plan.row_format == config.row_format
    assert plan.gate == GateSpec(("fine", "rude", "odd"), {"rude": 0.5}, sliced=True, allow_never_predicted=())
    (tmp_path / "config.yaml").write_text(json.dumps(CONFIG), encoding="utf-8")
    by_config = plan_judging([str(model)], file, JudgingOptions(config=tmp_path / "config.yaml"), tmp_path / "out")
    assert (by_config.row_format, by_config.gate) == (plan.row_format, plan.gate)


def test_another_delimiter_and_encoding_are_found_and_told(tmp_path: Path):
    model = pushed(tmp_path / "7")
    content = "label;text\nfine;a lovely Gärtchen\nrude;you idiot\nodd;für später\n".encode("cp1252")
    (tmp_path / "other.csv").write_bytes(content)
    plan = plan_judging([str(model)], tmp_path / "other.csv", JudgingOptions(), tmp_path / "out")
    assert (plan.row_format.dialect.delimiter, plan.row_format.dialect.encoding) == (";", "cp1252")
    assert any("delimiter ';', encoding 'cp1252'" in note for note in plan.notes)


def test_several_labels_with_unknown_ones_are_measured_as_the_gate_measures_them(tmp_path: Path):
    artifact = tmp_path / "artifact"
    model = save_scored_model(artifact / "Format-Serving", SEVERAL, (0.5, 0.4, 0.65))
    reading = Reading(labelling=Labelling(label_columns=SEVERAL, missing_label="mask"))
    about = About.from_json((model / ABOUT_FILE).read_text()).model_copy(update={"reading": reading})
    (model / ABOUT_FILE).write_text(about.to_json())
    rows = [row for row in random_rows(SEVERAL, 200, seed=1) if len(row.masked) < len(SEVERAL)]
    gate = GateSpec(SEVERAL, {"toxic": 0.1}, multi_label=True)
    (tmp_path / "gate").mkdir()
    wanted = evaluate_scored(tmp_path / "gate", artifact, rows, gate).evaluation
    cells = [
        [*("-1" if each in row.masked else str(int(each in row.labels)) for each in SEVERAL), row.features["text"][0]]
        for row in rows
    ]
    file = write_file(tmp_path / "rows.csv", cells, (*SEVERAL, "text"))
    found = evaluate(model, file, output=tmp_path / "out", min_recall={"toxic": 0.1})
    assert json.loads(found.evaluation.to_json()) == wanted
    assert any("labels of rows are not known" in note for note in found.notes)


def test_a_file_on_which_the_model_was_trained_is_told(tmp_path: Path):
    from fullbake.components.data.ingest.fingerprint import Files, fingerprint

    model = pushed(tmp_path / "7", bounds={})
    (tmp_path / "data").mkdir()
    file = write_file(tmp_path / "data/rows.csv", ROWS)
    note = model / "assets.extra/push.json"
    for split, told in (("single_split", True), ("test", False)):
        data = fingerprint([Files(split, str(tmp_path / "data"), "*")])
        note.write_text(json.dumps({**json.loads(note.read_text()), "data": data}))
        plan = plan_judging([str(model)], file, JudgingOptions(), tmp_path / "out")
        assert any("was trained on rows.csv" in note for note in plan.notes) == told


def test_a_config_of_other_labels_is_refused(tmp_path: Path):
    model = pushed(tmp_path / "7")
    changed = {**CONFIG, "data": {"input_base": "data", "labels": ["fine", "rude"]}}
    (tmp_path / "config.yaml").write_text(json.dumps(changed), encoding="utf-8")
    file = write_file(tmp_path / "rows.csv", ROWS)
    with pytest.raises(InputError, match=r"--config: data\.labels \(fine, rude\) are not those of the model"):
        plan_judging([str(model)], file, JudgingOptions(config=tmp_path / "config.yaml"), tmp_path / "out")

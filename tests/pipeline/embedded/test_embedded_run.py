"""What `import fullbake` offers, in a program of a user's, which is a process of its own here."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pipeline.planted import planted_rows, write_config, write_csv

PROGRAM = """
import csv, json, logging, os, signal, sys, threading, warnings
import fullbake
assert not {"tensorflow", "pydantic", "numpy", "yaml"} & set(sys.modules), "import fullbake is to be light"

def settings():
    return [
        [
            (logger.level, logger.handlers, logger.propagate)
            for logger in map(logging.getLogger, (None, "absl", "tensorflow"))
        ],
        [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        list(sys.argv), list(warnings.filters), os.getcwd(), os.environ.get("TMPDIR"),
        os.environ.get("TF_CPP_MIN_LOG_LEVEL"),
    ]

logging.basicConfig(level=logging.ERROR)
before, found = settings(), {}

def work():
    values = json.loads(sys.argv[-1])
    told = []
    overrides = {"gate.min_recall.kind": 0.0}
    first = fullbake.run(values, root="out", overrides=overrides, progress=lambda *at: told.append(at))
    again = fullbake.run("config.yaml", root="out", overrides={"gate.min_recall": {"kind": 0.0}})
    refused = fullbake.run("config.yaml", root="out", overrides={"gate.min_recall": {"kind": 1.0, "rude": 1.0}})
    for name, result in (("first", first), ("again", again), ("refused", refused)):
        found[name] = [
            result.pushed, result.model, result.blessed, [bound.label for bound in result.missed_bounds],
            result.metrics, str(result.report), result.warnings, result.summary,
        ]
    found["told"] = told
    model = fullbake.load("out")
    texts = ["you are a bad idiot", "what a lovely garden", ""] * 900
    many = model.predict(texts)
    found["model"] = [model.path, model.labels, len(many), many[0].label, dict(many[0].probabilities), many[1].labels]
    import pandas as pd
    table = model.predict(pd.Series(texts[:3])).to_frame()
    found["table"] = [list(table.columns), list(table["text"]), list(table["label"])]
    found["alone"] = model.predict(texts[0])[0].label
    found["none"] = len(model.predict([]))
    stages = []
    judged = fullbake.evaluate(
        "out", "data/train.csv", min_recall={"rude": 1.0}, output="judged", progress=lambda *at: stages.append(at)
    )
    with judged.predictions.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found["judged"] = [
        judged.passed, [[bound.label, bound.value] for bound in judged.bounds], judged.metrics,
        [[row["text"], row["label"], row["decided"]] for row in rows], judged.report.is_file(), stages,
        [prediction.label for prediction in model.predict([row["text"] for row in rows])],
    ]
    found["errors"] = []
    for wrong in (
        lambda: fullbake.run(values, overrides={"training.epochs": 0}),
        lambda: fullbake.run({**values, "dats": {}}),
        lambda: fullbake.run("none.yaml"),
        lambda: fullbake.run(values, root="config.yaml"),
        lambda: fullbake.run(values, overrides={"model.base": "./none"}),
        lambda: fullbake.load("nothing-here"),
        lambda: model.predict(["fine", float("nan")]),
        lambda: model.predict([("a", "b")]),
        lambda: fullbake.evaluate("nothing-here", "data/train.csv"),
        lambda: fullbake.evaluate(["out"] * 3, "data/train.csv"),
    ):
        try:
            wrong()
        except fullbake.InputError as error:
            found["errors"].append([error.field, str(error)])

thread = threading.Thread(target=work)
thread.start()
thread.join()
found["left"] = settings() == before
with open("found.json", "w") as file:
    json.dump(found, file)
"""


@pytest.fixture(scope="module")
def program(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Any]:
    """What the program printed, and what it found; with an argument that libraries would take for theirs."""
    folder = tmp_path_factory.mktemp("program")
    write_csv(folder / "data/train.csv", ["id", "text", "label"], planted_rows()[:120])
    file = write_config(
        folder,
        str(base),
        data={"label_map": {0: "kind", 1: "rude", 2: "plain"}},
        model={"approach": "frozen"},
        training={"epochs": 1, "learning_rate": None},
    )
    values = json.dumps(yaml.safe_load(file.read_text(encoding="utf-8")))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "-v", "--runner=None", values],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done, json.loads((folder / "found.json").read_text(encoding="utf-8"))


def test_nothing_is_printed_and_the_program_stays_as_it_was(program):
    done, found = program
    assert (done.stdout, done.stderr) == ("", "")
    assert found["left"]


def test_a_run_returns_what_the_summary_says(program):
    pushed, model, blessed, missed, metrics, report, warnings, summary = program[1]["first"]
    assert pushed
    assert blessed
    assert missed == []
    assert Path(model, "saved_model.pb").is_file()
    assert Path(report).is_file()
    assert (summary["model"], summary["metrics"], summary["report"]) == (model, metrics, report)
    assert any("no bound for 'rude'" in warning for warning in warnings)
    assert ["Trainer", None] in program[1]["told"]


def test_the_same_from_a_file_comes_from_the_cache(program):
    first, again = program[1]["first"], program[1]["again"]
    assert again[:2] == first[:2]
    assert again[-1]["cached"] == list(first[-1]["seconds"])


def test_a_refused_model_is_a_result_that_names_the_missed_bounds(program):
    pushed, model, blessed, missed, *_ = program[1]["refused"]
    assert (pushed, model, blessed) == (False, None, False)
    assert missed


def test_a_loaded_model_answers_each_text_in_its_order(program):
    found = program[1]
    path, labels, count, label, probabilities, second = found["model"]
    assert path == str(Path(found["first"][1]).relative_to(Path(found["first"][5]).parents[3]))
    assert labels == ["kind", "rude", "plain"]
    assert count == 2700
    assert label == max(probabilities, key=probabilities.get)
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert found["table"][0] == ["text", "label", "p_kind", "p_rude", "p_plain"]
    assert found["table"][1] == ["you are a bad idiot", "what a lovely garden", ""]
    assert found["table"][2][:2] == [label, *second]
    assert found["alone"] == label
    assert found["none"] == 0


def test_a_model_is_judged_on_a_file_by_what_it_answers(program):
    passed, bounds, metrics, rows, has_report, stages, answers = program[1]["judged"]
    assert len(rows) == 120
    assert [decided for _, _, decided in rows] == answers
    of_rude = [decided == "rude" for _, label, decided in rows if label == "rude"]
    assert metrics["recall"]["rude"] == pytest.approx(sum(of_rude) / len(of_rude))
    assert passed == all(of_rude)
    assert dict(bounds)["rude"] == metrics["recall"]["rude"]
    assert has_report
    assert [done for stage, done, of in stages if of == 120][-1] == 120


def test_what_the_user_can_fix_is_said_without_options_of_the_command_line(program):
    errors = program[1]["errors"]
    assert [field for field, _ in errors[:6]] == [None, None, None, "root", "model.base", "path"]
    assert [field for field, _ in errors[6:]] == ["texts", "texts", "model", "model"]
    assert [line for _, line in errors] == [
        "overrides['training.epochs']: training.epochs: 0 should be greater than or equal to 1",
        errors[1][1],
        "none.yaml: there is no such config file; make one with: fullbake init data.csv --output none.yaml",
        "root: config.yaml is a file; name a folder",
        errors[4][1],
        "path: there is no pushed model in nothing-here; name a version, a serving folder or an output root",
        "texts: number 1 is nan, and this model labels texts; leave it out, or give a text",
        "texts: number 0 is ('a', 'b'), and this model labels texts; leave it out, or give a text",
        "model: there is no pushed model in nothing-here; name a version, a serving folder or an output root",
        "model: 3 are given; give the model to judge, or it and one to compare it with",
    ]
    assert errors[1][1].startswith("config: dats: unknown key; did you mean 'data'?")
    assert errors[4][1].startswith("model.base: there is no folder './none'")

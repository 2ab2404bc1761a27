"""Runs on data with a class that is too rare to split: refused in one line, or trained and judged without it."""

import json
from pathlib import Path

from fullbake.components.serving.pushed_models import read_about
from tests.pipeline.planted import LABELS, planted_rows, write_config, write_csv


def test_a_class_too_rare_to_split_is_refused_or_left_out_of_all_that_follows(fullbake, base, tmp_path: Path):
    rows = [[text, LABELS[int(number)]] for _, text, number in planted_rows()[:90]]
    rare = [["a dim view", "dim"], ["dim", "dim"], ["what is it", "strange"]]
    write_csv(tmp_path / "data/train.csv", ["text", "label"], [*rare[:2], *rows])
    config = write_config(
        tmp_path,
        str(base),
        data={"labels": ["dim", *LABELS]},
        model={"approach": "frozen"},
        training={"epochs": 1, "learning_rate": None, "class_weights": "balanced"},
    )

    def run(*settings: str) -> tuple[int, str]:
        options = [part for setting in settings for part in ("--set", setting)]
        done = fullbake("run", config, "--root", tmp_path / "out", "--summary", tmp_path / "summary.json", *options)
        return done.exit_code, done.output

    code, output = run()
    assert code == 2
    assert (
        "fullbake: data.labels: 'dim' (2 texts, none in test): fewer texts than the 3 splits they are for; "
        "add rows, or set data.rare_classes to drop or other" in output
    )
    write_csv(tmp_path / "data/train.csv", ["text", "label"], [*rare, *rows])
    code, output = run("data.rare_classes=drop")
    assert code == 0
    note = "2 classes (3 rows) are left out (data.rare_classes: drop): 'dim' (2 rows), 'strange' (1 row)"
    assert note in output
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert sum(summary["examples"].values()) == 93
    assert summary["examples"]["rejected"] == 3
    assert summary["metrics"]["recall"]["dim"] is None
    assert all(summary["metrics"]["recall"][label] is not None for label in LABELS)
    report = Path(summary["report"]).read_text(encoding="utf-8")
    assert note.replace("'", "&#39;") in report

    # What production knows and this data has too few of is not compared.
    few = [row for row in rows if row[1] != "rude"] + [row for row in rows if row[1] == "rude"][:2]
    write_csv(tmp_path / "data/train.csv", ["text", "label"], few)
    code, output = run("data.rare_classes=drop", "gate.max_recall_drop=1.0")
    assert code == 0
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert set(summary["metrics"]["baseline"]["recall"]) == {"kind", "plain"}
    assert read_about(summary["model"]).labels == ("dim", *LABELS)

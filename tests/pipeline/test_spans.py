"""Retraining here, as a nightly job would: `fullbake run` again and again over growing spans."""

import json
from pathlib import Path

from tests.pipeline.planted import planted_rows, write_config, write_csv


def test_each_run_takes_the_newest_span_and_stops_where_there_is_none_or_a_strange_one(fullbake, base, tmp_path: Path):
    rows = planted_rows()
    config = write_config(
        tmp_path,
        str(base),
        data={
            "pattern": "span-{SPAN}/*",
            "text_column": "comment",
            "label_column": "class",
            "label_map": {0: "kind", 1: "rude", 2: "plain"},
            "max_label_drift": 0.2,
        },
        # A random encoder of width 32 learns nothing in an epoch; its recall may be anything.
        gate={"min_recall": {"kind": 0.0, "rude": 0.0, "plain": 0.0}, "max_recall_drop": 1.0},
        training={"epochs": 1, "learning_rate": 2e-4},
    )

    def add_span(number: int, of_span: list[list[str]]) -> None:
        write_csv(tmp_path / f"data/span-{number}/rows.csv", ["id", "comment", "class"], of_span)

    def run() -> tuple[int, str, dict]:
        done = fullbake("run", config, "--root", tmp_path / "out", "--summary", tmp_path / "summary.json")
        return done.exit_code, done.output, json.loads((tmp_path / "summary.json").read_text())

    def versions() -> list[str]:
        return sorted(path.name for path in (tmp_path / "out/serving").iterdir() if path.name.isdigit())

    add_span(1, rows[:100])
    code, output, first = run()
    assert (code, first["drift"], first["metrics"]["baseline"]) == (0, None, None)
    assert "nothing new" not in output

    add_span(2, rows[100:])
    code, output, second = run()
    assert code == 0
    assert second["metrics"]["baseline"]["model"] == first["model"]
    assert (second["drift"]["before"], second["drift"]["rows_before"]) == (1, 100)
    assert second["drift"]["label_distance"] < 0.02
    assert second["examples"]["train"] + second["examples"]["eval"] + second["examples"]["test"] == 140
    assert len(versions()) == 2

    code, output, again = run()
    assert (code, again["model"]) == (0, second["model"])
    assert "nothing new: data and config are those of an earlier run, whose outcome stands" in output
    assert len(versions()) == 2

    add_span(3, [row for row in rows if row[2] == "1"] + rows[:60])
    done = fullbake("run", config, "--root", tmp_path / "out")
    assert done.exit_code == 2
    assert "fullbake: data.max_label_drift: since span 2 the labels' shares have drifted by 0.379 " in done.output
    assert "(share of 'rude' 0.336, now 0.714), and 0.2 is allowed" in done.output
    assert len(versions()) == 2

import json
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2

from fullbake.command_line.local_commands import _tell
from fullbake.components.evaluation.gate import GateSpec, Share, judge
from fullbake.components.nodes.evaluator import EVALUATION_FILE
from fullbake.contract.names import INGEST_FILE
from fullbake.pipeline.run_record import RunRecord

LABELS = ["[/b]", "[red]", ":smile:", "[link=http://x]y[/link]", "\\[x]"]


@pytest.mark.parametrize("pushed", ["runs/[/red]/serving/1", None])
def test_labels_and_paths_that_look_like_markup_are_told_as_they_stand(tmp_path: Path, capsys, monkeypatch, pushed):
    monkeypatch.setenv("COLUMNS", "200")
    recall = dict.fromkeys(LABELS, 0.5)
    counted = dict.fromkeys(LABELS, Share(1, 2))
    bounds = judge(GateSpec(tuple(LABELS), min_recall=dict.fromkeys(LABELS, 0.9)), counted, counted, None)
    evaluation = {
        "examples": 10,
        "accuracy": 0.5,
        "labels": LABELS,
        "recall": recall,
        "precision": recall,
        "f1": recall,
        "bounds": [bound.to_dict() for bound in bounds],
        "baseline_note": "the model in production (runs/[/i]/1) has other labels; it was not compared",
    }
    (tmp_path / EVALUATION_FILE).write_text(json.dumps(evaluation), encoding="utf-8")
    lines = {"total": 1_300, "header": 2, "blank": 0, "used": 1_296, "rejected": 2}
    ingest = {
        "used": 1_200,
        "rejected": 1,
        "lines": lines,
        "notes": ["1 text has several labels: a.csv line 2 ('[/b]')"],
    }
    (tmp_path / INGEST_FILE).write_text(json.dumps(ingest), encoding="utf-8")
    model = metadata_store_pb2.Artifact()
    model.custom_properties["pushed"].int_value = int(pushed is not None)
    model.custom_properties["pushed_destination"].string_value = str(pushed)
    artifacts = {
        "CsvExampleGen": {"examples": metadata_store_pb2.Artifact(uri=str(tmp_path))},
        "Evaluator": {"evaluation": metadata_store_pb2.Artifact(uri=str(tmp_path))},
        "Pusher": {"pushed_model": model},
    }
    _tell(RunRecord("now", artifacts, report=Path("runs/[/b]/report.html")), str(tmp_path))
    told = capsys.readouterr().out
    for label in LABELS:
        assert f" {label} " in told
        assert f"✗ recall of '{label}' is 0.500, must be at least 0.9: missed by 0.400\n" in told
    assert "(runs/[/i]/1)" in told
    assert "rows: 1,200 used, 1 rejected; lines: 1,300 = 2 header + 1,296 used + 2 rejected\n" in told
    assert "note: 1 text has several labels: a.csv line 2 ('[/b]')\n" in told
    assert "report: runs/[/b]/report.html\n" in told
    assert (f"pushed: {pushed}\n" if pushed else "refused: the model was not pushed\n") in told

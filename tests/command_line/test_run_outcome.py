import json
import re
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2

from fullbake.command_line.run_outcome import print_outcome
from fullbake.components.evaluation.gate import GateSpec, Share, judge
from fullbake.contract.names import EVALUATION_FILE, INGEST_FILE, REPORT_PARTS_FILE
from fullbake.contract.results.ingest import LineAccount, Repeats
from fullbake.contract.results.report import Report
from fullbake.contract.results.tokens import TokenCount, Tokens
from fullbake.contract.results.training import Threshold, Training
from fullbake.pipeline.run_record import RunRecord
from tests.components.slice_reports import sliced_evaluation
from tests.results import an_evaluation, an_ingest

LABELS = ["[/b]", "[red]", ":smile:", "[link=http://x]y[/link]", "\\[x]"]


@pytest.mark.parametrize("pushed", ["runs/[/red]/serving/1", None])
def test_labels_and_paths_that_look_like_markup_are_told_as_they_stand(tmp_path: Path, capsys, monkeypatch, pushed):
    monkeypatch.setenv("COLUMNS", "200")
    counted = dict.fromkeys(LABELS, Share(1, 2))
    bounds = judge(GateSpec(tuple(LABELS), min_recall=dict.fromkeys(LABELS, 0.9)), counted, counted, None)
    note = "the model in production (runs/[/i]/1) has other labels; it was not compared"
    evaluation = an_evaluation(LABELS, bounds=bounds, baseline_note=note)
    (tmp_path / EVALUATION_FILE).write_text(evaluation.to_json(), encoding="utf-8")
    lines = LineAccount(total=1_300, header=2, blank=0, used=1_296, rejected=2)
    notes = ["1 text has several labels: a.csv line 2 ('[/b]')"]
    repeats = Repeats(duplicates=1_003, conflicting_texts=2, conflicting_rows=5)
    ingest = an_ingest(read=1_201, used=1_200, rejected=1, lines=lines, notes=notes, repeats=repeats)
    (tmp_path / INGEST_FILE).write_text(ingest.to_json(), encoding="utf-8")
    counts = {"train": {"Latin": TokenCount(texts=1_000, cut=12)}, "test": {"Han": TokenCount(texts=200, cut=1)}}
    tokens = Tokens(splits=counts, notes=("the vocabulary of [/u] does not fit",))
    report = Report(title="t", run="r", created="", evaluation=evaluation, tokens=tokens)
    (tmp_path / REPORT_PARTS_FILE).write_text(report.to_json(), encoding="utf-8")
    model = metadata_store_pb2.Artifact()
    model.custom_properties["pushed"].int_value = int(pushed is not None)
    model.custom_properties["pushed_destination"].string_value = str(pushed)
    artifacts = {
        "CsvExampleGen": {"examples": metadata_store_pb2.Artifact(uri=str(tmp_path))},
        "Evaluator": {"evaluation": metadata_store_pb2.Artifact(uri=str(tmp_path))},
        "Report": {"report": metadata_store_pb2.Artifact(uri=str(tmp_path))},
        "Pusher": {"pushed_model": model},
    }
    print_outcome(RunRecord("now", artifacts, report=Path("runs/[/b]/report.html")), str(tmp_path))
    told = capsys.readouterr().out
    for label in LABELS:
        assert f" {label} " in told
        assert f"✗ recall of '{label}' is 0.500, must be at least 0.9: missed by 0.400\n" in told
    assert "(runs/[/i]/1)" in told
    assert "rows: 1,200 used, 1 rejected; lines: 1,300 = 2 header + 1,296 used + 2 rejected\n" in told
    assert "note: 1 text has several labels: a.csv line 2 ('[/b]')\n" in told
    assert "note: the vocabulary of [/u] does not fit\n" in told
    assert "duplicates: 1,003 rows; contradictions: 2 texts in 5 rows\n" in told
    assert "cut texts: 13 of 1,200 have more tokens than the model reads\n" in told
    assert "report: runs/[/b]/report.html\n" in told
    if pushed:
        assert told.endswith(f"next: fullbake predict --model '{pushed}' \"a text\"\n")
    else:
        assert told.endswith("next: see the hardest mistakes in runs/[/b]/report.html\n")
    assert (f"pushed: {pushed}\n" if pushed else "refused: the model was not pushed\n") in told


def test_of_a_multi_label_model_the_table_has_what_ranks_and_the_summary_the_same(tmp_path: Path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    evaluation = sliced_evaluation(min_recall={"toxic": 0.999}, min_slice_recall={"insult": 0.97})
    thresholds = {"toxic": Threshold(value=0.5, recall=0.9, precision=0.8, chosen=True)}
    for result in (evaluation, an_ingest(), Training(decision_thresholds=thresholds)):
        (tmp_path / result.FILE).write_text(result.to_json(), encoding="utf-8")
    report = Report(title="t", run="r", created="", evaluation=evaluation)
    (tmp_path / REPORT_PARTS_FILE).write_text(report.to_json(), encoding="utf-8")
    model = metadata_store_pb2.Artifact()
    model.custom_properties["pushed"].int_value = 0
    left = metadata_store_pb2.Artifact(uri=str(tmp_path))
    artifacts = {
        "CsvExampleGen": {"examples": left},
        "Trainer": {"model_run": left},
        "Evaluator": {"evaluation": left},
        "Report": {"report": left},
        "Pusher": {"pushed_model": model},
    }
    record = RunRecord("now", artifacts, report=Path("report.html"))
    print_outcome(record, str(tmp_path))
    told = capsys.readouterr().out
    assert f"accuracy {evaluation.accuracy:.3f} (every label right), mean ROC AUC {evaluation.mean_roc_auc:.3f}" in told
    row = next(line for line in told.splitlines() if " insult " in line)
    assert re.search(f"{evaluation.f1['insult']:.3f} │ +{evaluation.roc_auc['insult']:.3f} │", row)
    summary = json.loads(json.dumps(record.summary()))
    assert list(summary["metrics"]) == [
        *("accuracy", "macro_f1", "recall", "precision", "f1", "baseline"),
        *("roc_auc", "mean_roc_auc", "average_precision", "mean_average_precision"),
        *("slices", "worst_slice", "bias", "slice_notes"),
    ]
    assert summary["metrics"]["average_precision"] == evaluation.average_precision
    assert summary["training"]["decision_thresholds"]["toxic"]["value"] == 0.5
    assert summary["metrics"]["bias"]["toxic"]["bnsp"] == evaluation.bias["toxic"].bnsp
    assert summary["missed_bounds"][0]["label"] == "toxic"
    worst = evaluation.worst_slice["toxic"]
    assert f"worst slice of 'toxic': '{worst.slice}', recall {worst.recall:.3f} of {worst.rows} rows\n" in told
    assert f"note: {evaluation.slice_notes[0]}\n" in told

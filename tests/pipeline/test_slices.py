"""A whole run with slices and identities: read, measured, judged, told."""

import json
from pathlib import Path

from tests.pipeline.planted import LABELS, planted_rows, write_config, write_csv


def test_a_run_with_slices_measures_judges_and_tells_them(fullbake, base_without_dropout: Path, tmp_path: Path):
    channels = ("forum", "mail", "")
    rows = [[*row, channels[int(row[0]) % 3], f"0.{int(row[0]) % 10}"] for row in planted_rows()]
    write_csv(tmp_path / "data/train.csv", ["id", "text", "label", "channel", "male"], rows)
    config = write_config(
        tmp_path,
        str(base_without_dropout),
        data={"label_map": {str(index): label for index, label in enumerate(LABELS)}},
        gate={
            "slices": ["channel"],
            "identity_columns": ["male"],
            "length_slices": [30],
            "min_slice_recall": {"rude": 0.0, "plain": 0.99},
            "min_bias_auc": {"bnsp": 1.0},
        },
    )
    root, summary = tmp_path / "out", tmp_path / "summary.json"
    result = fullbake("run", config, f"--root={root}", f"--summary={summary}")
    assert result.exit_code == 3, result.output
    found = json.loads(summary.read_text(encoding="utf-8"))
    metrics = found["metrics"]
    names = [each["name"] for each in metrics["slices"]]
    assert names == ["channel=forum", "channel=mail", "length<30", "length>=30", "male"]
    by_length = [each["rows"] for each in metrics["slices"] if each["name"].startswith("length")]
    assert sum(by_length) == found["examples"]["test"]
    assert set(metrics["bias"]) == set(LABELS)
    missed = {(bound["metric"], bound["label"], bound["slice"]) for bound in found["missed_bounds"]}
    assert any(metric == "bnsp_auc" and identity == "male" for metric, _, identity in missed)
    judged = {bound["slice"] for bound in found["bounds"] if bound["metric"] == "slice_recall"}
    assert judged <= set(names)
    assert any(
        "gate.min_slice_recall: too few rows of 'plain' to judge some slices" in n for n in metrics["slice_notes"]
    )
    assert "BNSP AUC of " in result.output
    assert "for 'male' is " in result.output
    page = Path(found["report"]).read_text(encoding="utf-8")
    assert 'id="slices"' in page
    assert "channel=forum" in page

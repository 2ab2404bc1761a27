"""A whole run on texts that are read in windows: from CSV to prediction."""

import csv
import html
import json
import random
import re
from collections import Counter
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401  (the served graph holds its ops)

from fullbake.contract.names import REPORT_PARTS_FILE
from tests.pipeline.planted import COMPONENTS, FILLER, LABELS, SIGNAL, executions, write_config, write_csv


def long_rows() -> list[list[str]]:
    """Rows whose class is told by three words at their end, behind up to five windows of others."""
    chosen = random.Random(5)  # noqa: S311 (nothing secret)
    rows = []
    for row in range(180):
        label = LABELS[row % 3]
        words = [*chosen.choices(FILLER, k=chosen.randint(2, 60)), *[SIGNAL[label]] * 3]
        rows.append([str(row), " ".join(words), label])
    return rows


def test_long_texts_are_learned_judged_and_labelled_in_windows(fullbake, base: Path, tmp_path: Path):
    rows = long_rows()
    write_csv(tmp_path / "data/train.csv", ["id", "text", "label"], rows)
    config = write_config(
        tmp_path,
        str(base),
        data={},
        model={"approach": "further_pretrain", "max_length": 16, "truncation": "windows", "max_windows": 5},
        pretraining={"epochs": 1},
        training={"epochs": 1, "batch_size": 4},
        tuning={"learning_rates": [1e-3, 3e-3]},
    )
    result = fullbake("run", config, "--root", tmp_path / "out", "--summary", tmp_path / "summary.json")
    assert result.exit_code == 0, result.output
    assert executions(tmp_path / "out") == Counter(
        {(name, "COMPLETE"): 1 for name in [*COMPONENTS, "Pretrainer", "Tuner"]}
    )
    # Of 16 tokens, 14 are the text's, and the next window begins 10 further on.
    longest = 14 + 4 * 10
    cut = sum(len(text.split()) > longest for _, text, _ in rows) / len(rows)
    assert cut > 0.05
    assert f"note: {cut:.0%} of the texts have more than 56 tokens and are cut" in result.output
    assert re.search(r"warning: model\.max_windows: \d+% of the texts have more than 56 tokens", result.output)

    (page,) = (tmp_path / "out/reports").glob("*/report.html")
    text = " ".join(html.unescape(re.sub("<[^>]*>", " ", page.read_text(encoding="utf-8"))).split())
    (file,) = (tmp_path / "out/pipeline/Report").rglob(REPORT_PARTS_FILE)
    parts = json.loads(file.read_text(encoding="utf-8"))
    windowed, trained = sum(parts["lengths"]["counts"][17:]), parts["lengths"]["rows"]
    assert (
        "The model reads a text in windows of 16 tokens, and in at most 5 of them, which hold 56 tokens of it; "
        f"{windowed} of {trained} training texts" in text
    )
    assert f"in {trained} texts" in text  # pre-training: not windows

    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    serve = tf.saved_model.load(summary["model"]).signatures["serving_default"]
    expected = serve(text=tf.constant([text for _, text, _ in rows]))["probabilities"].numpy()
    done = fullbake("predict", "--model", summary["model"], "--input", tmp_path / "data/train.csv",
                    "--output", tmp_path / "labelled.csv")  # fmt: skip
    assert done.exit_code == 0, done.output
    with (tmp_path / "labelled.csv").open(encoding="utf-8", newline="") as stream:
        labelled = list(csv.DictReader(stream))
    found = [[float(row[f"p_{label}"]) for label in LABELS] for row in labelled]
    np.testing.assert_allclose(found, expected, atol=1e-5)

"""What `fullbake init` makes of labels is what a run reads."""

import pytest

from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.first_config.first_config import make_first_config


@pytest.mark.parametrize(
    ("labels", "classes", "left_out"),
    [
        ({"on": 60, "off": 60, "dim": 2, "glow": 1}, {"on": 60, "off": 60}, {"label not listed": 3}),
        ({"on": 60, "On ": 20, "ON.": 1, "off": 50, "Off": 9, "dim": 3}, {"on": 81, "off": 59, "dim": 3}, {}),
        ({"question": 900, "queston": 2, "anser": 1, "answer": 700}, {"question": 902, "answer": 701}, {}),
        ({"1": 50, "1.0": 10, "0": 30, "false": 4, "YES": 5}, {"1": 65, "0": 34}, {}),
        ({f"{n / 64:g}": 2 for n in range(65)}, {"low": 64, "high": 66}, {}),
        ({"good": 300, "bad": 200, "NULL": 1, "n/a": 2, r"\N": 1}, {"good": 300, "bad": 200}, {"missing label": 4}),
    ],
)
def test_every_row_is_of_a_class_or_accounted_for(run, tmp_path, labels, classes, left_out):
    rows = [f"text {number} of {label},{label}" for label, count in labels.items() for number in range(count)]
    (tmp_path / "data/a.csv").write_text("\n".join(["text,label", *rows, ""]), encoding="utf-8")
    (tmp_path / "config.yaml").write_text(make_first_config(tmp_path / "data/a.csv", "text", "label"), encoding="utf-8")
    config = load_config(tmp_path / "config.yaml")
    data = config.data
    counts = run(data.row_format, split=data.split, on_bad_row=data.on_bad_row, max_bad_fraction=0.01).counts
    found = {label: sum(split[label] for split in counts["labels"].values()) for label in data.labels}
    assert found == classes
    assert all(split[label] for split in counts["labels"].values() for label in data.labels)
    assert counts["reasons"] == left_out
    assert set(config.gate.min_recall) == set(classes)


def test_null_words_and_the_threshold_are_heeded_in_every_folder(run, tmp_path):
    header = "text,score\n"
    (tmp_path / "data/a.csv").write_text(header + "".join(f"text {n},{n / 40}\n" for n in range(40)), encoding="utf-8")
    for folder in ("test", "corpus"):
        (tmp_path / folder).mkdir()
    (tmp_path / "test/t.csv").write_text(header + "a,0.9\nb,NULL\nc,0.1\nNA,0.2\nd,much\n", encoding="utf-8")
    (tmp_path / "corpus/c.txt").write_text("more text\nNULL\n \\N \nNULL and void\n", encoding="utf-8")
    (tmp_path / "config.yaml").write_text(make_first_config(tmp_path / "data/a.csv", "text", "score"), encoding="utf-8")
    data = load_config(tmp_path / "config.yaml", [f"data.test_base={tmp_path}/test"]).data
    counts = run(
        data.row_format,
        split=data.split,
        on_bad_row="quarantine",
        max_bad_fraction=0.9,
        test_base=str(tmp_path / "test"),
        corpus_base=str(tmp_path / "corpus"),
    ).counts
    assert counts["labels"]["test"] == {"low": 1, "high": 1}
    assert counts["reasons"] == {"missing label": 1, "missing text": 1, "label is no number": 1}
    assert (counts["corpus"], counts["corpus_reasons"]) == (2, {"missing text": 2})

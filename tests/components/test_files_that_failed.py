"""Small files that once came out wrong, through `init` and a run's ExampleGen; skipped where they are not at hand."""

import re
from pathlib import Path

import pytest

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.first_config.first_config import make_first_config

FILES = Path(__file__).parents[2] / "../shared/repro"

pytestmark = pytest.mark.skipif(not FILES.exists(), reason="the files are not at hand")


@pytest.fixture
def ingest(run, tmp_path: Path):
    """Runs ExampleGen with the config that `init` makes of a file; gives the config and what was counted."""

    def make(name: str, text: str = "text", label: str = "label"):
        content = make_first_config(FILES / name, text, label)
        (tmp_path / "config.yaml").write_text(content, encoding="utf-8")
        config = load_config(tmp_path / "config.yaml")
        data = config.data
        ran = run(
            data.row_format,
            data.pattern,
            split=data.split,
            input_base=data.input_base,
            on_bad_row="quarantine",
            max_bad_fraction=1.0,
        )
        return config, content, ran.counts

    return make


@pytest.mark.parametrize(
    ("name", "columns", "classes"),
    [
        ("tsv_quotes.tsv", ("text", "label"), {"bad": 3, "good": 9}),
        ("tsv_swallow_run.tsv", ("text", "label"), {"bad": 120, "good": 120}),
        ("backslash.csv", ("text", "label"), {"bad": 10, "good": 10}),
        ("rare_class.csv", ("text", "intent"), {"dim": 3, "off": 60, "on": 60}),
        ("no_header.tsv", ("1", "2"), {"bad": 8, "good": 8}),
        ("korean.tsv", ("text", "label"), {"bad": 20, "good": 20}),
        ("conflict.csv", ("text", "label"), {"off": 180, "on": 180}),
        ("label_case.csv", ("text", "label"), {"ham": 18, "spam": 18}),
        ("excel_sep.csv", ("text", "label"), {"bad": 12, "good": 12}),
        ("trailing_delim.csv", ("text", "label"), {"a": 15, "b": 15}),
    ],
)
def test_every_row_is_used_and_every_class_is_in_every_split(ingest, name, columns, classes):
    config, _, counts = ingest(name, *columns)
    assert config.data.labels == tuple(classes)
    assert counts["rejected"] == 0
    assert {label: sum(split[label] for split in counts["labels"].values()) for label in classes} == classes
    assert all(split[label] for split in counts["labels"].values() for label in classes)


def test_cells_with_several_labels_are_parted(ingest):
    config, _, counts = ingest("multilabel.csv", "text", "labels")
    assert config.data.labels == ("1", "2", "3")
    assert {label: sum(split[label] for split in counts["labels"].values()) for label in "123"} == {
        "1": 18,
        "2": 18,
        "3": 12,
    }
    assert counts["used"] == 36


def test_null_words_are_missing_labels(ingest):
    config, content, counts = ingest("null_labels.csv")
    assert config.data.labels == ("bad", "good")
    assert (counts["used"], counts["reasons"]) == (12, {"missing label": 30})
    assert "30 x missing label" in content


def test_texts_with_two_labels_are_told(ingest):
    _, content, counts = ingest("conflict.csv")
    assert "60 texts have several labels, in 120 rows" in content
    assert counts["repeats"]["conflicting_texts"] == 60


@pytest.mark.parametrize(
    ("name", "columns", "said"),
    [
        ("no_header.tsv", ("text", "label"), r"seems to have no header: .* 1 for the text and [23] for the label"),
    ],
)
def test_what_no_config_can_be_made_of_is_told_in_a_line(name, columns, said):
    with pytest.raises(InputError) as refused:
        make_first_config(FILES / name, *columns)
    assert re.search(said, str(refused.value))
    assert "\n" not in str(refused.value)

"""Small files that once came back wrong from `predict`, or with fewer rows; skipped where they are not at hand."""

from pathlib import Path

import pytest

from fullbake.contract.errors import InputError
from fullbake.pipeline.prediction.label_file import label_file
from tests.pipeline.trained_reading import trained

FILES = Path(__file__).parents[2] / "../shared/repro"

pytestmark = pytest.mark.skipif(not FILES.exists(), reason="the files are not at hand")

COMMAS, TABS = {"text_column": "text"}, {"text_column": "text", "delimiter": "\t"}
NUMBERED = {**TABS, "columns": ["text", "label", "_"]}


@pytest.mark.parametrize(
    ("name", "training", "rows", "told"),
    [
        ("predict_swallow.tsv", TABS, 5, None),
        ("predict_swallow.tsv", COMMAS, 5, "delimiter '\\t'"),
        ("predict_cp1252.csv", {**COMMAS, "encoding": "cp1252"}, 1, None),
        ("predict_cp1252.csv", COMMAS, 1, "encoding cp1252; the training files had utf-8"),
        ("tsv_quotes.tsv", TABS, 12, None),
        ("tsv_swallow_run.tsv", TABS, 240, None),
        ("backslash.csv", {**COMMAS, "escape_character": "\\"}, 20, None),
        ("backslash.csv", COMMAS, 20, "escape_character \\"),
        ("excel_sep.csv", COMMAS, 24, "delimiter ';'"),
        ("trailing_delim.csv", {**COMMAS, "trailing_delimiter": True}, 30, None),
        ("no_header.tsv", NUMBERED, 16, None),
        ("korean.tsv", TABS, 40, None),
        ("conflict.csv", COMMAS, 360, None),
        ("label_case.csv", COMMAS, 36, None),
        ("null_labels.csv", COMMAS, 42, None),
        ("multilabel.csv", COMMAS, 36, None),
        ("rare_class.csv", COMMAS, 123, None),
    ],
)
def test_every_row_comes_back_with_a_label(predictor, tmp_path: Path, name, training, rows, told):
    done = label_file(trained(predictor, **training), FILES / name, tmp_path / "out.csv")
    assert (done.rows, done.unlabelled.total()) == (rows, 0)
    assert len((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()) == rows + 1
    read_as = " ".join(note for note in done.notes if "is read as" in note)
    assert told in read_as if told else not read_as


def test_a_file_without_a_header_is_refused_by_a_model_of_files_with_one(predictor, tmp_path: Path):
    with pytest.raises(InputError, match="'text' is not a column of "):
        label_file(trained(predictor, **TABS), FILES / "no_header.tsv", tmp_path / "out.csv")
    assert not list(tmp_path.iterdir())

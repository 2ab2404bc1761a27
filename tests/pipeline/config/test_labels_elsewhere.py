"""The keys that say where labels are, and what of them does not go together."""

import pytest
from pydantic import ValidationError

from fullbake.pipeline.config.data_config import DataConfig


def data(**values) -> DataConfig:
    return DataConfig.model_validate({"input_base": "data", "labels": ["good", "bad"], **values})


def test_folders_of_classes_have_a_pattern_of_their_own():
    assert data(label_from="folder").pattern == "*/*"
    assert data(label_from="folder", pattern="**/*").pattern == "**/*"
    assert data(label_from="filename").pattern == "*"


def test_tables_without_a_header_need_no_column_of_labels_where_names_have_them():
    assert data(label_from="filename", text_column=2).columns == "numbered"
    assert data(label_from="filename", columns=["id", "text"]).columns == ("id", "text")


def test_only_the_labels_of_the_test_texts_may_be_in_a_file():
    found = data(test_base="test", test_labels_file="test_labels.csv", id_column="id")
    assert found.label_place.labels_file is None
    assert found.test_label_place.labels_file == "test_labels.csv"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"id_column": "id"}, "id_column: it belongs to labels_file, which is not set; set it, or take id_column away"),
        ({"test_labels_file": "x"}, "test_base: test_labels_file is set, which says nothing without it; set both"),
        (
            {"labels_file": "x", "label_from": "folder"},
            "labels_file: labels are in this file or, with label_from folder",
        ),
        ({"labels_file": "x", "label_column": "text"}, "label_column: 'text' is the column of a text, too; rename one"),
        ({"labels_file": "x", "test_base": "test"}, "test_labels_file: test_base is set, and with labels_file"),
        ({"labels_file": "x", "test_labels_file": "y"}, "test_base: test_labels_file is set, which says"),
        ({"labels_file": "x", "text_pair_column": "b"}, "text_pair_column: labels line by line belong to single texts"),
        ({"labels_file": "x", "pattern": "span-{SPAN}/*"}, "labels_file: labels line by line belong to one file, and "),
        (
            {"labels_file": "x", "id_column": "id", "columns": ["id", "text", "label"]},
            "columns: the labels of labels_file need a header",
        ),
    ],
)
def test_what_does_not_go_together(values, said):
    with pytest.raises(ValidationError) as caught:
        data(**values)
    assert said in str(caught.value)

"""The keys that say which labels a row has, where it can have any number of them or votes decide."""

import json

import pytest
import yaml

from tests.pipeline.config.refusal import MINIMAL, refusal

COLUMNS = {"label_columns": ["toxic", "obscene", "threat"]}
PARTS = {"label_separator": ",", "labels": ["anger", "joy", "pride"], "label_map": {2: "anger", 5: "joy"}}
COUNTS = {"votes": {"hate_speech": "hate", "neither": "fine"}, "labels": ["hate", "fine"]}
CAST = {"votes": ["first", "second", "third"], "labels": ["hate", "fine"]}


def with_data(**data):
    kept = {key: value for key, value in MINIMAL["data"].items() if key not in ("labels", "label_map")}
    return yaml.safe_dump({**MINIMAL, "data": {**kept, **data}})


@pytest.mark.parametrize("data", [COLUMNS, PARTS, COUNTS, CAST])
def test_a_config_comes_back_from_its_own_yaml(load, data):
    config = load(with_data(**data))
    assert load(config.to_yaml()) == config
    fmt = config.data.row_format
    assert type(fmt).from_dict(json.loads(json.dumps(fmt.to_dict()))) == fmt


def test_the_names_of_the_columns_are_the_labels_unless_others_are_given(load):
    data = load(with_data(**COLUMNS)).data
    assert data.labels == data.row_format.label_columns == ("toxic", "obscene", "threat")
    assert data.row_format.multi_label
    assert data.reading.label_column is None
    named = load(with_data(**COLUMNS, labels=["rude", "lewd", "threatening"])).data
    assert named.labels == ("rude", "lewd", "threatening")
    assert load(with_data(**COLUMNS, label_threshold=0.5, missing_label="mask")).data.row_format.label_threshold == 0.5


def test_columns_without_a_header_are_named_by_number(load):
    data = load(with_data(text_column=1, label_columns=[2, 3], labels=["a", "b"])).data
    assert (data.columns, data.text_column, data.label_columns) == ("numbered", "1", ("2", "3"))
    assert "data.label_columns: 'toxic' is no number" in refusal(
        load, with_data(text_column=1, label_columns=["toxic", "3"])
    )


def test_labels_in_cells_and_votes_make_their_formats(load):
    fmt = load(with_data(**PARTS)).data.row_format
    assert (fmt.label_separator, fmt.label_map, fmt.multi_label) == (",", {"2": "anger", "5": "joy"}, True)
    fmt = load(with_data(**COUNTS)).data.row_format
    assert (fmt.votes, fmt.multi_label) == ({"hate_speech": "hate", "neither": "fine"}, False)
    assert load(with_data(**CAST)).data.row_format.votes == dict.fromkeys(CAST["votes"])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"label_columns": ["toxic"], "labels": ["a", "b"]}, "label_columns: 'toxic' alone is one column"),
        ({"label_columns": ["a", "b", "a"]}, "label_columns: 'a' is listed twice"),
        ({"label_columns": ["a", "text"]}, "label_columns: 'text' is the column of a text, too"),
        ({**COLUMNS, "labels": ["a", "b"]}, "labels: there are 2, and label_columns names 3 columns"),
        ({**COLUMNS, "labels": ["threat", "toxic", "obscene"]}, "labels: they are in another order than label_columns"),
        ({**COLUMNS, "label_column": "class"}, "label_column: the labels are in the columns of label_columns"),
        ({**COLUMNS, "label_separator": ","}, "label_separator: it does not go with label_columns"),
        ({**COLUMNS, "label_map": {"a": "toxic"}}, "label_map: it does not go with label_columns"),
        ({**COLUMNS, "votes": ["a", "b"]}, "votes: it does not go with label_columns"),
        ({**COLUMNS, "label_from": "filename"}, "label_columns: labels are in columns or, with label_from filename"),
        ({**COLUMNS, "labels_file": "gold.txt"}, "labels_file: line by line it has one label; set id_column"),
        ({**COLUMNS, "rare_classes": "drop"}, "rare_classes: a text may have other labels than a rare one"),
        ({"label_columns": ["a,b", "c"]}, "labels: 'a,b' has a ',' in it, which stands between the labels"),
        ({**COLUMNS, "missing_label": "drop"}, "missing_label: 'drop' is not one of fail, mask"),
        ({**PARTS, "missing_label": "mask"}, "missing_label: it is about the cells of label_columns"),
        ({**PARTS, "label_from": "filename"}, "label_separator: labels are in a column"),
        ({**PARTS, "label_threshold": 0.5}, "label_threshold: numbers are no labels that stand in one cell"),
        ({**PARTS, "votes": ["a", "b"]}, "votes: they give a row one label"),
        ({**PARTS, "rare_classes": "other"}, "rare_classes: a text may have other labels"),
        ({**PARTS, "labels": ["anger", "joy", "a, b"]}, "labels: 'a, b' has the label_separator in it"),
        ({**PARTS, "label_separator": ";", "labels": ["anger", "joy", "a, b"]}, "labels: 'a, b' has a ',' in it"),
        ({**PARTS, "label_separator": ""}, "label_separator: '' should have at least 1 character"),
        ({"label_separator": ","}, "labels: missing; give it a value"),
        ({**COUNTS, "votes": {"a": "hate"}}, "votes: 'a' alone decides nothing"),
        (
            {**COUNTS, "votes": {"a": "hate", "b": "fin"}},
            "votes: 'b' counts for 'fin', which is not in labels; did you",
        ),
        ({**COUNTS, "votes": {"a": "hate", "b": "hate"}}, "votes: no column counts for 'fine'; name one"),
        ({**COUNTS, "votes": {"text": "hate", "b": "fine"}}, "votes: 'text' is the column of a text, too"),
        ({**COUNTS, "label_map": {"1": "hate"}}, "label_map: it is never asked beside votes that are counted"),
        ({**COUNTS, "label_threshold": 2}, "label_threshold: votes are counted, not parted"),
        ({**COUNTS, "labels_file": "gold.csv", "id_column": "id"}, "labels_file: votes are in the file of the texts"),
        ({**COUNTS, "label_from": "folder"}, "votes: labels are in columns or, with label_from folder"),
        ({**COUNTS, "label_column": "class"}, "label_column: the labels are in the columns of votes"),
        ({**CAST, "votes": ["a", "b", "a"]}, "votes: 'a' is listed twice"),
        ({**CAST, "votes": {"a": "hate", "b": None}}, "votes: 'b' has no label for which it counts"),
        ({**CAST, "votes": 5}, "votes: 5 is a value; a section of keys belongs here"),
        ({**CAST, "missing_label": "mask"}, "missing_label: it is about the cells of label_columns"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(load, data, said):
    message = refusal(load, with_data(**data))
    assert f"data.{said}" in message
    assert "\n" not in message

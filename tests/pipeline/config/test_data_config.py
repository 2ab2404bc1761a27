import pytest
import yaml

from tests.pipeline.config.refusal import MINIMAL, refusal


def test_labels_and_mapped_values_may_be_whole_numbers_and_are_text(load):
    config = load("name: n\ndata: {input_base: d, labels: [0, 1]}\ngate: {min_recall: {0: 0.5}}\n")
    assert config.data.labels == ("0", "1")
    assert config.gate.min_recall == {"0": 0.5}
    config = load("name: n\ndata:\n  input_base: d\n  labels: [hate, neither]\n  label_map: {0: hate, 2: neither}\n")
    assert config.data.label_map == {"0": "hate", "2": "neither"}


@pytest.mark.parametrize("label", ["a\nb", "a\rb", "a\tb", "\x1b[31mred", "a\x00b", "a\x85b", "a\u2028b"])
def test_a_label_with_a_line_break_or_control_character_is_refused(load, label: str):
    text = yaml.safe_dump({**MINIMAL, "data": {**MINIMAL["data"], "labels": ["good", label]}})
    message = refusal(load, text)
    assert "data.labels: " in message
    assert "a line break or control character" in message
    assert "data.label_map" in message


@pytest.mark.parametrize(("one", "other"), [("caf\u00e9", "cafe\u0301"), ("a b", "a\u00a0b"), ("a b", "a  b")])
def test_labels_that_look_the_same_are_refused_and_may_be_mapped_to_one(load, one: str, other: str):
    data = {**MINIMAL["data"], "labels": ["good", one, other]}
    message = refusal(load, yaml.safe_dump({**MINIMAL, "data": data}))
    assert f"data.labels: {one!a} and {other!a} look the same" in message
    data |= {"labels": ["good", one], "label_map": {other: one}}
    assert load(yaml.safe_dump({**MINIMAL, "data": data})).data.label_map == {other: one}


def test_labels_of_any_other_characters_are_taken(load):
    labels = [
        "[/b]",
        "[red]",
        "$x$",
        "<b>",
        "a/b",
        "👨‍👩‍👧",
        "نعم",
        "a:b",
        "{x}",
        "100%",
        "&amp;",
        "`x`",
        "..",
        "p_label",
    ]
    config = load(yaml.safe_dump({**MINIMAL, "data": {**MINIMAL["data"], "labels": labels}}, allow_unicode=True))
    assert config.data.labels == tuple(labels)
    assert load(config.to_yaml()) == config


def test_a_test_folder_leaves_a_split_into_train_and_eval(load):
    assert load(yaml.safe_dump(MINIMAL), "data.test_base=held_out").data.split == {"train": 8, "eval": 1}
    config = load(yaml.safe_dump(MINIMAL), "data.test_base=held_out", "data.split={train: 3, eval: 1}")
    assert config.data.split == {"train": 3, "eval": 1}


def test_null_words_are_text_and_reach_the_reader(load):
    data = {**MINIMAL["data"], "null_values": [-999, "-", ""]}
    assert load(yaml.safe_dump({**MINIMAL, "data": data})).data.row_format.null_values == ("-999", "-", "")
    config = load(yaml.safe_dump(MINIMAL))
    assert "NULL" in config.data.row_format.null_values
    assert load(config.to_yaml()) == config
    message = refusal(load, "name: n\ndata: {input_base: d, labels: [a, b], null_values: [NULL]}\n")
    assert "data.null_values.0: has no value" in message


def test_a_threshold_takes_two_labels_and_no_map(load):
    data = {**MINIMAL["data"], "labels": ["low", "high"], "label_threshold": 3}
    assert load(yaml.safe_dump({**MINIMAL, "data": data})).data.row_format.label_threshold == 3.0
    message = refusal(load, yaml.safe_dump({**MINIMAL, "data": {**data, "labels": ["low", "mid", "high"]}}))
    assert "data.label_threshold: it makes two classes of numbers, and labels has 3; name two" in message
    message = refusal(load, yaml.safe_dump({**MINIMAL, "data": {**data, "label_map": {"1": "low"}}}))
    assert "data.label_threshold: label_map is never asked beside it" in message
    assert "data.label_threshold: " in refusal(
        load, yaml.safe_dump({**MINIMAL, "data": data}), "data.label_threshold=.inf"
    )

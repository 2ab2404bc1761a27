import pytest

KINDS = {"on": 60, "off": 60, "dim": 2}


def lines(counts, same_text=()):
    rows = [
        (label, "always the same" if label in same_text else f"{label} {number}")
        for label, count in counts.items()
        for number in range(count)
    ]
    return "text,intent\n" + "".join(f"lamp {text},{label}\n" for label, text in rows)


@pytest.mark.parametrize("rows", [1, 2])
def test_a_class_with_too_few_texts_to_split_is_left_out_and_named(first_config, rows):
    config, text = first_config(lines({"on": 60, "off": 60, "dim": rows}), columns=("text", "intent"))
    assert (config.data.labels, config.data.rare_classes) == (("off", "on"), "drop")
    assert config.gate.min_recall == {"off": 0.6, "on": 0.6}
    said = f"'dim' ({rows} row{'s'[: rows != 1]})"
    assert f"  rare_classes: drop  # fewer than 3 different texts, too few to split: {said}\n" in text
    assert "# 60 rows, 50.0%" in text


def test_three_texts_are_a_class_and_copies_are_one_text(first_config):
    config, text = first_config(lines({"on": 60, "off": 60, "dim": 3}), columns=("text", "intent"))
    assert (config.data.labels, config.data.rare_classes) == (("dim", "off", "on"), "fail")
    assert "rare_classes" not in text
    config, text = first_config(lines({"on": 60, "off": 60, "dim": 9}, ["dim"]), columns=("text", "intent"))
    assert (config.data.labels, config.data.rare_classes) == (("off", "on"), "drop")
    assert "'dim' (9 rows)" in text


def test_of_many_such_classes_a_few_are_named(first_config):
    counts = {"on": 60, "off": 60, **{f"odd {number}": 1 + number % 2 for number in range(20)}}
    config, text = first_config(lines(counts), columns=("text", "intent"))
    assert config.data.labels == ("off", "on")
    assert (
        "'odd 1' (2 rows), 'odd 3' (2 rows), 'odd 5' (2 rows), 'odd 7' (2 rows), 'odd 9' (2 rows) and 15 more\n" in text
    )
    assert config.training.class_weights == "none"


def test_other_spellings_of_a_class_that_is_left_out_are_not_mapped(first_config):
    counts = {"on": 60, "On": 20, "off": 60, "dim": 1, "Dim": 1, "a\x1bb": 2}
    config, text = first_config(lines(counts), columns=("text", "intent"))
    assert config.data.labels == ("off", "on")
    assert config.data.label_map == {"On": "on"}
    assert "'dim' (2 rows)" in text
    assert r"'a\x1bb' (2 rows)" in text


def test_where_fewer_than_two_classes_would_be_left_none_is_left_out(first_config):
    config, _ = first_config(lines({"on": 60, "off": 2}), columns=("text", "intent"))
    assert (config.data.labels, config.data.rare_classes) == (("off", "on"), "fail")

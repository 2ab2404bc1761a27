import itertools
import random

import pytest

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config_keys import CONFIG_KEYS
from fullbake.pipeline.first_config.first_config import make_first_config
from fullbake.pipeline.first_config.several_labels import find_several_labels


def lines(cells):
    return "text\tlabel\n" + "".join(f"text number {number}\t{cell}\n" for number, cell in enumerate(cells))


@pytest.mark.parametrize(
    ("cells", "separator", "labels"),
    [
        (["1", "2", "3", "1,2", "2,3", "1,3", "1"], ",", ("1", "2", "3")),
        (["a", "b", "a|b", "a"], "|", ("a", "b")),
        (
            ["toxic; insult", "toxic", "insult", "insult", "threat", "threat; toxic; insult"],
            ";",
            ("insult", "toxic", "threat"),
        ),
        (['["joy", "fear"]', '["joy"]', '["fear"]', '["joy"]', "[]"], ",", ("joy", "fear")),
        (["['joy', 'fear']", "['love', 'joy']", "['fear', 'love']", "['joy']"], ",", ("joy", "fear", "love")),
        (["[0, 4]", "[4, 7]", "[0]", "[7]", "[4]"], ",", ("4", "0", "7")),
    ],
)
def test_cells_with_several_labels_are_parted_and_labels_are_in_the_order_of_their_rows(
    first_config, cells, separator, labels
):
    config, text = first_config(lines(cells * 6))
    assert (config.data.label_separator, config.data.labels) == (separator, labels)
    assert config.data.on_bad_row == "fail"
    assert tuple(config.gate.min_recall) == labels
    rows = sum(labels[0] in cell for cell in cells * 6)
    assert f"# {rows} rows, {rows / len(cells * 6):.1%}" in text


def test_other_spellings_of_a_label_are_mapped_and_rare_labels_left_out(first_config):
    cells = [*(["joy", "fear", "love", "pride", "joy,fear,love,pride", "Joy, fear"] * 60), "joy,rage"]
    config, text = first_config(lines(cells))
    assert (config.data.labels, config.data.label_map) == (("joy", "fear", "love", "pride"), {"Joy": "joy"})
    assert "  # Left out: 'rage' (1 row): fewer than 3 different texts, too few to split.\n" in text
    assert config.data.on_bad_row == "quarantine"  # the row with it


def test_a_label_with_a_comma_gets_another_name(first_config):
    config, _ = first_config(lines(["Arts, Crafts; Sports", "Sports", "Arts, Crafts", "Sports; Law", "Law"] * 4))
    assert config.data.labels == ("Sports", "Arts Crafts", "Law")
    assert config.data.label_map == {"Arts, Crafts": "Arts Crafts"}


def test_names_of_files_have_one_label(tmp_path):
    for name in ("joy", "fear", "joy,fear"):
        (tmp_path / f"{name}.txt").write_text("".join(f"{name} text {number}\n" for number in range(9)))
    with pytest.raises(InputError) as error:
        make_first_config(tmp_path, "text", label_from="filename")
    message = error.value.text(CONFIG_KEYS)
    assert message.startswith("data.label_from: the names of the files have several labels each, such as 'joy,fear' (")


@pytest.mark.parametrize(
    "cells",
    [
        ["Business, Finance", "Sports", "Science; Technology", "yes/no"],
        ["Business, Finance", "Finance, Law", "Sports"],
        ["News, Sports", "News, Politics", "News, Weather", "Culture"],
        ["Paris, France", "Lyon, France", "Berlin, Germany", "Munich, Germany"],
        ["red, small", "red, large", "blue, small", "blue, large"],
        ["yes", "no", "yes/no"],
        ["[/b]", "[red]", "a,b"],
        ["Yes, I agree", "Yes, maybe", "No, thanks", "No, I do not"],
        [",", ";", "|"],
    ],
)
def test_a_class_may_have_a_comma(first_config, cells):
    config, _ = first_config(lines(cells * 5))
    assert set(config.data.labels) == set(cells)


def test_a_slip_among_many_rows_does_not_make_it_several_labels():
    assert find_several_labels({"spam": 500, "ham": 500, "spam,ham": 2}) is None
    assert find_several_labels({"spam": 500, "ham": 500, "spam,ham": 20}) == (",", "spam,ham", ["spam", "ham"])


def test_there_may_be_more_combinations_than_classes_can_be(first_config):
    tags = [f"tag{number}" for number in range(30)]
    combinations = [",".join(some) for some in itertools.combinations(tags, 3)][:1500]
    random.Random(0).shuffle(combinations)  # noqa: S311
    config, text = first_config(lines([*tags, *combinations]))
    assert set(config.data.labels) == set(tags)
    assert "there are 1,500 combinations of them" in text

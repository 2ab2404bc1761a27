import itertools
import random

import pytest

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config_keys import CONFIG_KEYS
from fullbake.pipeline.first_config.several_labels import find_several_labels


def lines(cells):
    return "text\tlabel\n" + "".join(f"text number {number}\t{cell}\n" for number, cell in enumerate(cells))


@pytest.mark.parametrize(
    ("cells", "cell"),
    [
        (["1", "2", "3", "1,2", "2,3", "1,3", "1"], "1,2"),
        (["a", "b", "a|b", "a"], "a|b"),
        (["toxic; insult", "toxic", "insult", "threat", "threat; toxic"], "toxic; insult"),
        (['["joy", "fear"]', '["joy"]', '["fear"]', "[]"], '["joy", "fear"]'),
        (["['joy', 'fear']", "['love', 'joy']", "['fear', 'love']"], "['joy', 'fear']"),
        (["[0, 4]", "[4, 7]", "[0]", "[7]"], "[0, 4]"),
    ],
)
def test_cells_with_several_labels_are_refused_with_an_example_and_the_remedy(first_config, cells, cell):
    with pytest.raises(InputError) as error:
        first_config(lines([*cells, cell] * 5))
    message = error.value.text(CONFIG_KEYS)
    assert message.startswith(f"data.label_column: column 'label' has several labels in a cell, such as {cell!r} (")
    assert "data.rare_classes to drop" in message
    assert "\n" not in message


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
    assert find_several_labels({"spam": 500, "ham": 500, "spam,ham": 20}) == ("spam,ham", ["spam", "ham"])


def test_more_combinations_than_classes_can_have_are_told(first_config):
    tags = [f"tag{number}" for number in range(30)]
    combinations = [",".join(some) for some in itertools.combinations(tags, 3)][:1500]
    random.Random(0).shuffle(combinations)  # noqa: S311
    with pytest.raises(InputError, match="has several labels in a cell"):
        first_config(lines([*tags, *combinations]))

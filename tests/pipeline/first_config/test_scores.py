import io

import pytest
import yaml

from fullbake.components.data.reading import read_rows
from fullbake.components.data.rows import Row
from fullbake.contract.errors import InputError


def lines(scores):
    return "text,label\n" + "".join(f"text number {number},{score}\n" for number, score in enumerate(scores))


@pytest.mark.parametrize(
    ("scores", "threshold", "below", "from_it"),
    [
        ([n / 50 for n in range(50)], 0.5, 25, 25),  # 0 to 0.98
        ([0, 1, *(n / 997 for n in range(1500) if n < 997)], 0.5, 500, 499),
        ([1 + n / 10 for n in range(91)], 5.5, 45, 46),
        ([n / 100 for n in range(40)], 0.195, 20, 20),  # none reaches 0.5
        ([-3.5 + n / 4 for n in range(29)], 0, 14, 15),
        ([*(n / 2 for n in range(1, 11))] * 4, 2.75, 20, 20),  # half stars
        ([0.5] * 50 + [0.0] * 60 + [n / 7919 for n in range(3000)], 0.5, 3060, 50),
    ],
)
def test_scores_are_parted_at_a_threshold(first_config, scores, threshold, below, from_it):
    content = lines(scores)
    config, text = first_config(content)
    assert (config.data.labels, config.data.label_threshold) == (("low", "high"), threshold)
    assert config.data.label_map == {}
    assert f"# {below:,} of the numbers, which go from {min(scores):g} to {max(scores):g}, are below it" in text
    found = list(read_rows(io.BytesIO(content.encode()), "train.csv", config.data.row_format))
    assert all(isinstance(row, Row) for row in found)
    assert [sum(row.label == label for row in found) for label in ("low", "high")] == [below, from_it]
    assert list(config.gate.min_recall) == ["low", "high"]


def test_a_cell_that_is_no_number_among_scores_is_a_bad_row(first_config):
    config, text = first_config(lines([*(n / 300 for n in range(300)), "n. a.", "nan"]))
    assert config.data.label_threshold == 0.5
    assert "1 x label is no number" in text
    assert "# the first is on line 302: label 'n. a.' is no finite number, as data.label_threshold needs\n" in text


@pytest.mark.parametrize("values", [range(1, 6), range(77), [0, 1, 2]])
def test_whole_numbers_are_classes_and_the_comment_names_the_key(first_config, values):
    config, text = first_config(lines(list(values) * 5))
    assert config.data.labels == tuple(map(str, values))
    assert config.data.label_threshold is None
    assert "# The labels are whole numbers. If they are a scale, label_threshold makes two classes of them.\n" in text
    assert "null_values" not in yaml.safe_load(text)["data"]


@pytest.mark.parametrize("labels", [["0", "1"], ["good", "bad", "odd"], ["0.5", "1.0", "1.5"], ["1.1", "1.2", "2.1"]])
def test_few_values_are_classes(first_config, labels):
    config, text = first_config(lines(labels * 9))
    assert config.data.labels == tuple(sorted(labels))
    assert "label_threshold" not in text


def test_numbers_of_rows_are_neither_classes_nor_scores(first_config):
    with pytest.raises(InputError, match="has more than 1,000 different values, so it is no class"):
        first_config(lines(range(1500)))


@pytest.mark.parametrize("scores", [[n / 300 for n in range(300)], [n / 10 for n in range(11)] * 5])
def test_numbers_with_a_decimal_comma_are_told(first_config, scores):
    content = "text\tlabel\n" + "".join(f"text {n}\t{score:.1f}\n".replace(".", ",") for n, score in enumerate(scores))
    with pytest.raises(InputError, match=r"with a decimal comma, such as '0,0'; write them with a point, and"):
        first_config(content)

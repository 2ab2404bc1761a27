import json

import pandas as pd
import pytest

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config_keys import CONFIG_KEYS
from fullbake.pipeline.first_config.first_config import make_first_config

COLUMNS = ("toxic", "insult", "threat")


def table(rows=60, *, flag=(0, 1)):
    return pd.DataFrame(
        {
            "id": range(rows),
            "text": [f"text number {number}" for number in range(rows)],
            **{
                column: [flag[number % (place + 2) == 0] for number in range(rows)]
                for place, column in enumerate(COLUMNS)
            },
            "votes": [number % 4 for number in range(rows)],
        }
    )


def write(frame, file):
    if file.name.endswith(".parquet"):
        frame.to_parquet(file)
    elif file.name.endswith(".jsonl"):
        frame.to_json(file, orient="records", lines=True)
    else:
        frame.to_csv(file, index=False)
    return file


@pytest.mark.parametrize("name", ["train.csv", "train.jsonl", "train.parquet"])
@pytest.mark.parametrize("flag", [(0, 1), (False, True), (0.0, 1.0)])
def test_the_other_classes_columns_are_named(tmp_path, name, flag):
    text = make_first_config(write(table(flag=flag), tmp_path / name), "text", "toxic")
    assert "  # Other columns hold 0 and 1 alone, as this one: 'insult', 'threat'. A text may be of several\n" in text
    assert "label_columns learns all (name each as --label, or none)" in text


def test_one_column_of_0_and_1_is_no_news(tmp_path):
    text = make_first_config(write(table().drop(columns=["insult", "threat"]), tmp_path / "a.csv"), "text", "toxic")
    assert "Other columns" not in text
    text = make_first_config(write(table(), tmp_path / "b.csv"), "text", "votes")
    assert "Other columns" not in text


@pytest.mark.parametrize("name", ["train.csv", "train.jsonl", "train.parquet"])
def test_where_the_label_column_is_not_there_the_columns_of_classes_are_named(tmp_path, name):
    with pytest.raises(InputError) as error:
        make_first_config(write(table(), tmp_path / name), "text", "label")
    message = error.value.text(CONFIG_KEYS)
    assert message.startswith(f"data.label_column: 'label' is not a column of {name} (it has: id, text, toxic, ")
    assert message.endswith(
        "; the columns 'toxic', 'insult', 'threat' hold 0 and 1 alone, as of a class each: name the one to learn as "
        "the label, or all of them"
    )
    with pytest.raises(InputError, match="'txt' is not a column") as error:
        make_first_config(tmp_path / name, "txt", "toxic")
    assert "hold 0 and 1" not in str(error.value)


def test_a_list_of_lists_in_json_is_told(tmp_path):
    rows = [{"text": f"text {number}", "label": [["joy", "fear"]]} for number in range(9)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(InputError, match="the 9 rows can be used; line 1: column 'label' holds a list, no text"):
        make_first_config(tmp_path / "a.jsonl", "text", "label")

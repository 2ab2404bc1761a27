import gzip
import json

import pandas as pd
import pytest

from fullbake.components.data.reading import read_rows
from fullbake.components.data.rows import Row
from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config_keys import CONFIG_KEYS
from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.first_config.first_config import make_first_config

WORDS = ("NULL", "N/A", r"\N", "nan", "<NA>")


def rows(words, column="label", good=200):
    rows = [{"text": f"text number {number}", "label": ("good", "bad")[number % 2]} for number in range(good)]
    return [*rows, *({"text": f"null {number}", "label": "good", column: word} for number, word in enumerate(words))]


def write(rows, file):
    if file.name.endswith(".jsonl.gz"):
        file.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    elif file.name.endswith(".parquet"):
        pd.DataFrame(rows).to_parquet(file)
    else:
        lines = [f"{row['text']}\t{row['label']}" for row in rows]
        file.write_text("\n".join(["text\tlabel", *lines, ""]), encoding="utf-8")
    return file


@pytest.mark.parametrize("name", ["a.tsv", "a.jsonl.gz", "a.parquet"])
@pytest.mark.parametrize("column", ["label", "text"])
@pytest.mark.parametrize(("words", "treatment"), [((), "fail"), (("NULL", " nan"), "quarantine"), (WORDS, "fail")])
def test_null_words_are_missing_values_in_every_format(tmp_path, name, column, words, treatment):
    file = write(rows(words, column), tmp_path / name)
    text = make_first_config(file, "text", "label")
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    data = load_config(tmp_path / "config.yaml").data
    assert (data.labels, data.on_bad_row) == (("bad", "good"), treatment)
    assert "null_values" not in text.replace("is one of data.null_values", "")
    if words:
        line = 202 if name == "a.tsv" else 201
        place = "row" if name == "a.parquet" else "line"
        assert f"{len(words)} x missing {column}\n" in text
        assert f"# the first is on {place} {line}: no {column} in column '{column}': 'NULL' is one of " in text
    with file.open("rb") if not name.endswith(".gz") else gzip.open(file) as stream:
        found = list(read_rows(stream, name, data.row_format))
    assert len(found) == 200 + len(words)
    assert sum(isinstance(row, Row) for row in found) == 200


def refusal(file):
    with pytest.raises(InputError) as error:
        make_first_config(file, "text", "label")
    message = error.value.text(CONFIG_KEYS)
    assert "\n" not in message
    return message


def test_one_class_beside_null_words_says_how_many_rows_were_rejected_and_why(tmp_path):
    found = [row for row in rows(WORDS) if row["label"] != "bad"]
    assert refusal(write(found, tmp_path / "a.tsv")) == (
        "data.label_column: column 'label' has one value only, 'good'; two classes are the least: name another column; "
        "5 of 105 rows cannot be used (5 x missing label), the first on line 102: no label in column 'label': 'NULL' "
        "is one of data.null_values: fix these first, if they have the other labels"
    )


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (lambda number: f"id {number}", "has 20 different values in 20 rows, so it is no class; name another"),
        (lambda number: "x" * 501 if number == 9 else "ab"[number % 2], "has a value of 501 characters"),
        (lambda number: "the same", "has one value only, 'the same'"),
    ],
)
def test_every_refusal_says_what_was_rejected(tmp_path, label, message):
    found = [{"text": f"text number {number}", "label": label(number)} for number in range(20)]
    clean = refusal(write(found, tmp_path / "clean.tsv"))
    assert message in clean
    assert "cannot be used" not in clean
    bad = [{"text": "", "label": "x"}, {"text": "NA", "label": "y"}, {"text": "a\tb", "label": "x"}]
    said = refusal(write([*found, *bad], tmp_path / "bad.tsv"))
    assert said.startswith(clean)
    assert (
        "; 3 of 23 rows cannot be used (2 x missing text, 1 x wrong number of fields), the first on line 22: no text in"
    ) in said

import gzip
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest
import yaml

from fullbake.components.data.readers import csv_records
from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config_keys import CONFIG_KEYS
from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.first_config.first_config import make_first_config

DATA = Path(__file__).parents[2] / "../shared/data"
TWEETS = DATA / "davidson_hate_speech.csv"
QUESTIONS = DATA / "banking77_train.csv"


def rows(*labels, times=5, delimiter=","):
    lines = (f"text number {n}{delimiter}{label}" for n, label in enumerate(labels * times))
    return "\n".join([f"text{delimiter}label", *lines]) + "\n"


def test_the_config_says_where_the_file_is_and_what_is_in_it(first_config, tmp_path):
    config, text = first_config(rows("good", "bad", "good"))
    assert (config.data.input_base, config.data.pattern) == (str(tmp_path), "train.csv")
    assert (config.data.text_column, config.data.label_column) == ("text", "label")
    assert config.data.labels == ("bad", "good")
    assert "    - bad  # 5 rows, 33.3%; few: about 1.0 will be in the test split\n" in text
    assert "    - good  # 10 rows, 66.7%\n" in text
    assert (config.name, config.model.base, config.training.epochs) == ("train", "distilbert-base-uncased", 3)


def test_only_keys_that_a_first_config_needs_are_in_it(first_config):
    values = yaml.safe_load(first_config(rows("good", "bad"))[1])
    assert {section: list(keys) for section, keys in values.items() if isinstance(keys, dict)} == {
        "data": [
            "input_base",
            "pattern",
            "text_column",
            "label_column",
            "labels",
            "delimiter",
            "encoding",
            "on_bad_row",
        ],
        "model": ["base", "approach", "max_length"],
        "training": ["epochs", "class_weights"],
        "gate": ["min_recall"],
    }


def test_numbers_are_labels_in_the_order_of_their_value(first_config):
    config, text = first_config(rows("10", "9", "-1", "0"))
    assert config.data.labels == ("-1", "0", "9", "10")
    assert list(yaml.safe_load(text)["gate"]["min_recall"]) == ["-1", "0", "9", "10"]


ODD_LABELS = (
    *("yes", "No", "true", "None", "~", "1.5", "1e3", "0x1f", "1_000", "2024-01-01", "12:30:00", "=", "<<", "?", "-"),
    *("- a", "a: b", "a #b", "#b", "[a]", "{a}", "*a", "&a", "!a", "%a", "@a", "`a", "a,b", '"quoted"', "it's", "a\\b"),
    *(
        "a-b",
        "a/b",
        "a.b",
        "très bien",
        "非常好",
        "🙂 fine",
        "word " * 40 + "end",
    ),
)


@pytest.mark.parametrize("label", ODD_LABELS)
def test_any_label_survives_yaml(first_config, label):
    content = "text,label\n" + "".join(
        f'text {number},"{value}"\n' for number, value in enumerate([label.replace('"', '""'), "other"] * 5)
    )
    config, text = first_config(content)
    assert set(config.data.labels) == set(config.gate.min_recall) == {label, "other"}
    assert set(yaml.safe_load(text)["data"]["labels"]) == {label, "other"}


def test_a_label_that_tables_cannot_show_gets_another_name(first_config):
    labels = ["two\nlines", "two\tlines", "two lines", "a\x7fb", "a\u2028b", "\0", "other"]
    content = "text,label\n" + "".join(f'text {number},"{label}"\n' for number, label in enumerate(labels * 3))
    config, _ = first_config(content)
    assert config.data.label_map == {
        "two\nlines": "two lines",
        "two\tlines": "two lines",
        "a\x7fb": "a b",
        "a\u2028b": "a b 2",
        "\0": "unnamed",
    }
    assert (
        set(config.data.labels)
        == set(config.gate.min_recall)
        == {"two lines", "other", *config.data.label_map.values()}
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_gives_the_columns(first_config, delimiter):
    header = delimiter.join(['"id,of;the|row"', "text", "label"])
    lines = "".join(delimiter.join([str(n), f'"a, b; c | d {n}"', ("good", "bad")[n % 2]]) + "\n" for n in range(10))
    config, _ = first_config(f"{header}\n{lines}")
    assert config.data.delimiter == delimiter
    assert set(config.data.labels) == {"good", "bad"}


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
    ],
)
def test_the_encoding_is_found_out(first_config, written, found):
    config, _ = first_config(rows("très", "“bien”", times=3000), encoding=written)
    assert config.data.encoding == found
    assert set(config.data.labels) == {"très", "“bien”"}


def test_bytes_that_windows_1252_lacks_make_it_latin_1(first_config):
    assert first_config(rows("tr\xe8s", "bien \x81 so"), encoding="latin-1")[0].data.encoding == "latin-1"


def test_a_few_broken_bytes_do_not_change_the_encoding_and_are_quarantined(first_config):
    config, text = first_config(rows("très", "bien", times=200).encode() + b"caf\xe9,bien\n")
    assert (config.data.encoding, config.data.on_bad_row, config.data.max_bad_fraction) == ("utf-8", "quarantine", 0.01)
    assert "  # 1 rows (0.25%) cannot be used: 1 x undecodable bytes\n" in text
    assert "  # the first is on line 402: byte 0xe9 in column 'text' is not utf-8; is data.encoding right?\n" in text


def test_too_many_bad_rows_are_not_left_out_unseen(first_config):
    config, text = first_config(rows("good", "bad") + ",good\n")
    assert config.data.on_bad_row == "fail"
    assert "1 x missing text" in text


def test_a_gzipped_file_and_a_name_with_wildcards_are_read(first_config):
    config, _ = first_config(rows("good", "bad"), name="My data [1]*.csv.gz")
    assert (config.name, config.data.pattern) == ("my-data-1", "My data ?1??.csv.gz")


def test_pairs_are_counted_together(first_config, tmp_path):
    (tmp_path / "pairs.csv").write_text("a,b,label\n" + f"{'the ' * 20},{'the ' * 50},x\nword,word,y\n" * 5)
    values = yaml.safe_load(make_first_config(tmp_path / "pairs.csv", "a", "label", "b"))
    assert (values["data"]["text_column"], values["data"]["text_pair_column"]) == ("a", "b")
    assert values["model"]["max_length"] == 80


@pytest.mark.parametrize(("words", "max_length"), [(1, 16), (14, 16), (15, 32), (200, 208), (5000, 512)])
def test_the_maximum_length_fits_the_texts(first_config, words, max_length):
    content = "text,label\n" + "".join(f"{'the ' * words},{label}\n" for label in "ab" * 200)
    assert first_config(content)[0].model.max_length == max_length


def test_the_longest_hundredth_of_the_texts_does_not_set_the_length(first_config):
    content = "text,label\n" + "".join(f"short,{label}\n" for label in "ab" * 100) + f"{'long ' * 400},a\n"
    assert first_config(content)[0].model.max_length == 16


@pytest.mark.parametrize(("rare", "weights"), [(100, "none"), (20, "none"), (5, "balanced")])
def test_classes_far_from_even_are_weighted(first_config, rare, weights):
    assert first_config(rows(*(["common"] * 100 + ["rare"] * rare), times=1))[0].training.class_weights == weights


def test_every_label_has_a_bound_above_chance(first_config):
    assert first_config(rows("a", "b"))[0].gate.min_recall == {"a": 0.6, "b": 0.6}
    config, text = first_config(rows("a", "b", "c"))
    assert config.gate.min_recall == {"a": 0.5, "b": 0.5, "c": 0.5}
    assert "    a: 0.5  # about 1.0 test rows, and to show it with 95% confidence takes 4\n" in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,labels\na,b\n", "data.label_column: 'label' is not a column of train.csv (it has: text, labels); did"),
        ("a;b;c\n1;2;3\n", "data.text_column: 'text' is not a column of train.csv (it has: a, b, c)"),
        ("text,label\n", "data.input_base: train.csv has a header but no rows"),
        ("", "data.input_base: train.csv is empty"),
        ("text,label\n,a\n,b\n", "data: none of the 2 rows can be used; line 2: no text in column 'text'"),
        (rows("same"), "data.label_column: column 'label' has one value only, 'same'; two classes are the least"),
        (rows(*map(str, range(12)), times=1), "data.label_column: column 'label' has 12 different values in 12 rows"),
        (rows(*map(str, range(1100))), "data.label_column: column 'label' has more than 1,000 different values"),
        (
            rows("good", "bad") + "a," + "x" * 501 + "\n",
            "data.label_column: column 'label' has a value of 501 characters, 'xxxxxxxxxxxxxxxxxxxx' and so on, "
            "which is no class; correct the row",
        ),
    ],
)
def test_a_file_that_makes_no_config_is_refused_with_the_reason(first_config, content, message):
    with pytest.raises(InputError) as error:
        first_config(content)
    assert error.value.text(CONFIG_KEYS).startswith(message)
    assert "\n" not in str(error.value)


def test_a_file_that_cannot_be_read_is_refused_with_the_reason(tmp_path):
    with pytest.raises(InputError, match=r"no\.csv: the file cannot be read: No such file or directory"):
        make_first_config(tmp_path / "no.csv", "text", "label")
    with pytest.raises(InputError, match="is a folder; name one of its data files"):
        make_first_config(tmp_path, "text", "label")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(rows("a", "b").encode())[:-20])
    with pytest.raises(InputError, match=r"cut\.csv\.gz is not a whole gzip file \("):
        make_first_config(tmp_path / "cut.csv.gz", "text", "label")


def test_it_answers_without_importing_tensorflow():
    code = "import sys, fullbake.pipeline.first_config.first_config\n"
    code += "print({'tensorflow', 'tfx', 'apache_beam', 'pandas'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.skipif(not QUESTIONS.exists(), reason="the data sets are not here")
def test_real_files_make_configs_that_load(tmp_path):
    (tmp_path / "questions.yaml").write_text(make_first_config(QUESTIONS, "text", "category"))
    (tmp_path / "tweets.yaml").write_text(make_first_config(TWEETS, "tweet", "class"))
    questions, tweets = load_config(tmp_path / "questions.yaml"), load_config(tmp_path / "tweets.yaml")
    assert (len(questions.data.labels), questions.model.max_length) == (77, 64)
    assert (questions.training.class_weights, questions.data.on_bad_row) == ("none", "fail")
    assert (tweets.data.labels, tweets.model.max_length) == (("0", "1", "2"), 96)
    assert (tweets.training.class_weights, tweets.data.on_bad_row) == ("balanced", "fail")


def test_quotes_that_would_join_rows_are_ordinary_characters_in_the_config_too(first_config):
    lines = [f"text number {number}\t{('good', 'bad')[number % 2]}" for number in range(30)]
    lines[4], lines[20] = f'"{lines[4]}', lines[20].replace("\t", ' "\t')
    config, text = first_config("\n".join(["text\tlabel", *lines]) + "\n")
    assert (config.data.quoting, config.data.delimiter) == ("none", "\t")
    assert ", 30 usable rows" in text


def test_repeats_and_contradictions_are_counted_and_named(first_config):
    content = "text,label\nso kind,good\nso kind,bad\nfine,good\n fine,good\n" + rows("good", "bad").split("\n", 1)[1]
    config, text = first_config(content)
    assert "  # 1 text has several labels, in 2 rows: line 2 ('good') and line 3 ('bad')\n" in text
    assert "  # 1 row repeats an earlier one, label and all: line 4 and line 5\n" in text
    assert (config.data.on_duplicate, config.data.on_conflict) == ("keep", "keep")
    assert "several labels" not in first_config(rows("good", "bad"))[1]


@pytest.mark.parametrize(
    "name", ["export_2024 (1).csv", "a" * 60 + " (1).csv", "a b c d e f g h i j k l m n o p q, r.csv"]
)
def test_no_name_of_a_file_or_column_takes_long(first_config, tmp_path, name):
    column = name * 3
    started = time.process_time()
    config, _ = first_config(rows("good", "bad").replace("text,", f'"{column}",', 1), name, columns=(column, "label"))
    assert time.process_time() - started < 2
    assert (tmp_path / config.data.pattern).exists()
    assert config.data.text_column == column


def test_a_text_longer_than_any_takes_no_memory_beyond_the_bound(first_config, monkeypatch):
    monkeypatch.setattr(csv_records, "MAX_TEXT_CHARACTERS", 2**20)
    content = f'text,label\n"{"some words, " * 1_000_000}",good\n' + rows("good", "bad").split("\n", 1)[1]
    first_config(rows("good", "bad"))  # imports what it needs
    tracemalloc.start()
    try:
        _, text = first_config(content)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "# 1 rows (9.09%) cannot be used: 1 x too long\n" in text
    assert peak < 40 * 2**20  # 12 MB of them are the file's, as the test writes it, twice


def test_utf_32_is_found_out_with_its_mark_and_without(first_config):
    for encoding in ("utf-32", "utf-32-le", "utf-32-be"):
        config, _ = first_config(rows("good", "bad"), encoding=encoding)
        assert config.data.encoding == encoding

import gzip
import json
import shutil
from pathlib import Path

import pytest

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.preflight import check_inputs

ROWS = "text,label\nyou are kind,good\nyou are bad,bad\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/train.csv").write_text(ROWS, encoding="utf-8")
    return tmp_path / "data"


@pytest.fixture
def check(data: Path, base: Path):
    """Checks a config that is right but for what is given."""

    def run(model: dict | None = None, training: dict | None = None, pretraining: dict | None = None, **values) -> None:
        check_inputs(
            Config.model_validate(
                {
                    "name": "small",
                    "data": {"input_base": str(data), "labels": ["good", "bad"], **values},
                    "model": {"base": str(base), "max_length": 64, **(model or {})},
                    "training": training or {},
                    "pretraining": pretraining or {},
                }
            )
        )

    return run


def refusal(check, **values) -> str:
    with pytest.raises(InputError) as caught:
        check(**values)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_good_files_and_a_good_base_pass(check):
    check()


def test_devices_and_workers_that_are_not_there_are_refused_before_anything_is_read(check, tmp_path: Path, monkeypatch):
    for name in ("TF_CONFIG", "TPU_NAME", "TPU_WORKER_ID"):
        monkeypatch.delenv(name, raising=False)
    message = refusal(check, training={"distribution": "tpu"}, input_base=str(tmp_path / "none"))
    assert message.startswith("training.distribution: tpu needs a TPU, and this machine shows none")
    monkeypatch.setenv("TF_CONFIG", "{")
    assert refusal(check, input_base=str(tmp_path / "none")).startswith("TF_CONFIG: it is not JSON")


def test_a_folder_that_is_not_there_is_refused(check, tmp_path: Path):
    message = refusal(check, input_base=str(tmp_path / "none"))
    assert message.startswith(f"data.input_base: '{tmp_path}/none' is not a folder; name a folder of CSV files")


def test_a_file_in_place_of_the_folder_is_told_where_its_name_belongs(check, data: Path):
    message = refusal(check, input_base=str(data / "train.csv"))
    assert message.endswith("is not a folder; name the folder and give the file's name as data.pattern")


def test_a_pattern_that_no_file_matches_is_refused(check):
    assert "no file in" in (message := refusal(check, pattern="*.tsv"))
    assert message.startswith("data.pattern: ")
    assert "'*.tsv'" in message


def test_an_empty_folder_is_refused(check, data: Path):
    (data / "train.csv").unlink()
    assert refusal(check).startswith("data.pattern: no file in ")


@pytest.mark.parametrize("name", [".hidden.csv", "_SUCCESS"])
def test_hidden_and_underscored_files_are_no_data(check, data: Path, name: str):
    (data / name).write_text("nothing of the kind", encoding="utf-8")
    check()
    (data / "train.csv").unlink()
    assert refusal(check).startswith("data.pattern: no file in ")


def test_a_folder_below_is_no_data(check, data: Path):
    (data / "older").mkdir()
    check()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "train.csv is empty"),
        ("\n\n", "train.csv is empty"),
        ("text,label\n", "train.csv has a header but no rows"),
        ('text,"label\n', "the header of train.csv (line 1) cannot be read"),
    ],
)
def test_a_file_without_header_or_rows_is_refused(check, data: Path, content: str, problem: str):
    (data / "train.csv").write_text(content, encoding="utf-8")
    message = refusal(check)
    assert message.startswith("data.input_base: ")
    assert problem in message


@pytest.mark.parametrize(
    ("key", "value", "ending"),
    [
        ("text_column", "txt", "(it has: text, label); did you mean 'text'?"),
        ("label_column", "class", "(it has: text, label)"),
        ("text_pair_column", "text_b", "(it has: text, label); did you mean 'text'?"),
    ],
)
def test_a_column_that_is_not_there_is_told_with_those_that_are(check, key: str, value: str, ending: str):
    assert refusal(check, **{key: value}) == f"data.{key}: {value!r} is not a column of train.csv {ending}"


def test_every_file_must_have_the_columns(check, data: Path):
    (data / "more.csv").write_text("text,klass\nx,good\n", encoding="utf-8")
    assert "'label' is not a column of more.csv" in refusal(check)


def test_a_delimiter_that_does_not_fit_is_suspected(check):
    assert "does data.delimiter ';' fit the file?" in refusal(check, delimiter=";")


def test_an_encoding_that_python_does_not_know_is_refused(check):
    assert refusal(check, encoding="klingon").startswith("data.encoding: 'klingon' is not a text encoding")


def test_the_header_is_read_in_the_files_encoding(check, data: Path):
    (data / "train.csv").write_text(ROWS.replace("text", "Größe"), encoding="cp1252")
    check(text_column="Größe", encoding="cp1252")
    assert "'Größe' is not a column" in refusal(check, text_column="Größe")


def test_compressed_files_are_looked_into(check, data: Path):
    (data / "train.csv").unlink()
    (data / "train.csv.gz").write_bytes(gzip.compress(ROWS.encode()))
    check()
    assert "'txt' is not a column of train.csv.gz (it has: text, label)" in refusal(check, text_column="txt")


@pytest.mark.parametrize("content", [ROWS.encode(), gzip.compress(ROWS.encode())[:20]], ids=["not gzip", "cut off"])
def test_a_compressed_file_that_is_broken_is_refused(check, data: Path, content: bytes):
    (data / "broken.csv.gz").write_bytes(content)
    assert refusal(check).startswith("data.input_base: broken.csv.gz cannot be read: ")


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [
        ("span-{SPAN}/*", "span-7"),
        ("span-{SPAN:2}/v{VERSION}/*.csv", "span-07/v1"),
        ("{YYYY}-{MM}-{DD}/*", "2024-02-29"),
    ],
)
def test_markers_for_spans_and_versions_stand_for_what_is_there(check, data: Path, pattern: str, folder: str):
    assert refusal(check, pattern=pattern).startswith("data.pattern: no file in ")
    (data / folder).mkdir(parents=True)
    shutil.move(data / "train.csv", data / folder / "train.csv")
    check(pattern=pattern)
    assert f"'txt' is not a column of {folder}/train.csv" in refusal(check, pattern=pattern, text_column="txt")


def test_a_remote_folder_is_left_to_the_components(check):
    check(input_base="gs://a-bucket/data")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("./none", "there is no folder './none'"),
        ("package:no_such_package/model", "which is not installed; install it (pip install --no-deps no-such-package)"),
        ("package:json/none", "has no folder 'none'"),
        ("a/b/c/d", "is neither a folder, nor package:<package>/<folder>, nor a Hugging Face id"),
    ],
)
def test_a_base_model_that_is_not_there_is_refused(check, name: str, problem: str):
    message = refusal(check, model={"base": name})
    assert message.startswith("model.base: ")
    assert problem in message


def test_a_base_folder_without_config_or_weights_is_refused(check, base: Path, tmp_path: Path):
    folder = Path(shutil.copytree(base, tmp_path / "copy"))
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    assert "has no safetensors or TensorFlow weights" in refusal(check, model={"base": str(folder)})
    (folder / "config.json").unlink()
    assert "has no config.json" in refusal(check, model={"base": str(folder)})


def test_a_base_whose_tokenizer_is_not_wordpiece_is_refused(check, base: Path, tmp_path: Path):
    # What roberta-base's folder holds: byte-level BPE, and no vocab.txt.
    folder = Path(shutil.copytree(base, tmp_path / "roberta"))
    (folder / "vocab.txt").unlink()
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["model"] = {"type": "BPE", "vocab": {"<s>": 0, "a": 1}, "merges": []}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    message = refusal(check, model={"base": str(folder)})
    assert str(folder) in message
    assert "WordPiece" in message
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.json").write_text('{"<s>": 0, "a": 1}', encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    assert str(folder) in refusal(check, model={"base": str(folder)})


def test_more_tokens_than_the_base_has_positions_are_refused(check):
    message = refusal(check, model={"max_length": 65})
    assert message.startswith("model.max_length: 65 is more than the 64 positions that ")
    assert message.endswith("set it to 64 or less")


def test_every_span_of_a_window_must_have_the_columns(check, data: Path):
    for span, header in ((7, "old,label"), (8, "text,label"), (10, "text,label")):
        folder = data / f"span-{span}"
        folder.mkdir()
        (folder / "rows.csv").write_text(f"{header}\nhello,a\n", encoding="utf-8")
    check(pattern="span-{SPAN}/*", window=3)
    assert "'text' is not a column" in refusal(check, pattern="span-{SPAN}/*", window=4)


def test_only_the_newest_span_must_have_the_columns(check, data: Path):
    for span, header in ((9, "old,label"), (10, "text,label")):
        folder = data / f"span-{span}"
        folder.mkdir()
        (folder / "rows.csv").write_text(f"{header}\nhello,a\n", encoding="utf-8")
    check(pattern="span-{SPAN}/*")
    (data / "span-11").mkdir()
    (data / "span-11" / "rows.csv").write_text("old,label\nhello,a\n", encoding="utf-8")
    assert "'text' is not a column" in refusal(check, pattern="span-{SPAN}/*")


FURTHER = {"approach": "further_pretrain"}


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A folder beside the data, still empty."""
    (tmp_path / "other").mkdir()
    return tmp_path / "other"


def test_a_test_folder_and_a_corpus_that_can_be_read_pass(check, data: Path, other: Path):
    check(test_base=str(data))
    (other / "a.csv").write_text("id,text\n1,unlabelled\n", encoding="utf-8")
    (other / "b.txt").write_text("\na line\n", encoding="utf-8")
    (other / "c.txt.gz").write_bytes(gzip.compress(b"a line"))
    (other / "_SUCCESS").touch()
    check(FURTHER, pretraining={"corpus_base": str(other)})


def test_remote_folders_of_test_set_and_corpus_are_left_to_the_components(check):
    check(FURTHER, test_base="gs://a-bucket/test", pretraining={"corpus_base": "gs://a-bucket/corpus"})


@pytest.mark.parametrize("key", ["data.test_base", "pretraining.corpus_base"])
def test_a_test_folder_or_corpus_that_is_none_or_empty_is_refused(check, data: Path, other: Path, key: str):
    def message(folder: Path) -> str:
        if key == "data.test_base":
            return refusal(check, test_base=str(folder))
        return refusal(check, model=FURTHER, pretraining={"corpus_base": str(folder)})

    assert message(other / "none").startswith(f"{key}: '{other}/none' is not a folder; name a folder of ")
    assert message(data / "train.csv").endswith("is not a folder; name the folder the file is in")
    assert message(other).startswith(f"{key}: no file is in '{other}'; ")
    (other / "a.csv").write_text("texts,label\nx,good\n", encoding="utf-8")
    assert message(other) == (
        f"{key}: 'text' (data.text_column) is not a column of {other}/a.csv (it has: texts, label); "
        "did you mean 'texts'?"
    )
    (other / "a.csv").write_text("text,label\n", encoding="utf-8")
    assert message(other).startswith(f"{key}: {other}/a.csv has a header but no rows; ")
    (other / "a.csv").rename(other / "a.csv.gz")
    assert message(other).startswith(f"{key}: {other}/a.csv.gz cannot be read: ")


def test_the_test_folder_must_have_the_label_column_too(check, other: Path):
    (other / "a.txt").write_text("text\nx\n", encoding="utf-8")
    assert refusal(check, test_base=str(other)).startswith(
        f"data.test_base: 'label' (data.label_column) is not a column of {other}/a.txt (it has: text)"
    )


def test_a_plain_text_corpus_without_text_is_refused(check, other: Path):
    (other / "a.txt").write_text("\n\n", encoding="utf-8")
    assert refusal(check, model=FURTHER, pretraining={"corpus_base": str(other)}).startswith(
        f"pretraining.corpus_base: {other}/a.txt has no text; "
    )


def test_a_corpus_that_the_approach_does_not_read_is_not_looked_at(check):
    check(pretraining={"corpus_base": "/no/such/folder"})


def test_next_sentence_needs_a_base_that_tells_two_sentences_apart(check, base_of, tmp_path: Path):
    check(FURTHER, pretraining={"next_sentence": True})
    distilbert = str(base_of("distilbert"))
    message = refusal(check, model={"base": distilbert, **FURTHER}, pretraining={"next_sentence": True})
    assert message.startswith(f"pretraining.next_sentence: {distilbert} cannot tell a first sentence from a second ")
    assert "set it to false" in message
    check({"base": distilbert, **FURTHER})
    check({"base": distilbert}, pretraining={"next_sentence": True})


@pytest.mark.parametrize("model_type", ["bert", "distilbert"])
def test_unfreezing_must_reach_the_embeddings_within_the_epochs(check, base_of, model_type: str):
    model = {"base": str(base_of(model_type))}  # two layers and the embeddings
    check(model, training={"unfreeze_layers_per_epoch": 1, "epochs": 3})
    check(model, training={"unfreeze_layers_per_epoch": 2, "epochs": 2})
    message = refusal(check, model=model, training={"unfreeze_layers_per_epoch": 1, "epochs": 2})
    assert message.startswith("training.unfreeze_layers_per_epoch: 1 an epoch over 2 epochs leaves 1 of the 3 ")
    assert message.endswith("set it to 2 or more, or raise training.epochs")
    message = refusal(check, model=model, training={"unfreeze_layers_per_epoch": 2, "epochs": 1})
    assert message.endswith("set it to 3 or more, or raise training.epochs")

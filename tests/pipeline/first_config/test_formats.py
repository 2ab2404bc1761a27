import pandas as pd
import pytest

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config_keys import CONFIG_KEYS
from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.first_config.first_config import make_first_config
from tests.components.data_formats import COMPRESSIONS, FORMATS, save_dataset, workbook

FRAME = pd.DataFrame({"text": [f"text number {n}" for n in range(40)], "label": ["good", "bad"] * 20})
TEXTS = FRAME["text"].tolist()


@pytest.fixture
def config_of(tmp_path):
    def make(path):
        text = make_first_config(path, "text", "label")
        (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
        return load_config(tmp_path / "config.yaml"), text

    return make


@pytest.mark.parametrize(
    ("suffix", "compression"),
    [
        *((suffix, None) for suffix in FORMATS),
        *((".csv", compression) for compression in COMPRESSIONS),
        (".jsonl", ".zst"),
        (".json", ".xz"),
    ],
)
def test_every_format_makes_a_config(config_of, tmp_path, suffix: str, compression: str | None):
    file = tmp_path / f"train{suffix}{compression or ''}"
    content = FORMATS[suffix](FRAME)
    file.write_bytes(COMPRESSIONS[compression](content) if compression else content)
    config, text = config_of(file)
    assert (config.name, config.data.pattern, config.data.labels) == ("train", file.name, ("bad", "good"))
    assert f"from '{file.name}', 40 usable rows" in text
    assert config.data.on_bad_row == "fail"


def test_a_saved_dataset_makes_a_config(config_of, tmp_path):
    save_dataset(tmp_path / "my set", TEXTS, [0, 1] * 20)
    config, text = config_of(f"{tmp_path}/my set/")
    assert (config.name, config.data.input_base, config.data.pattern) == ("my-set", f"{tmp_path}/my set", "*")
    assert (config.data.labels, config.data.test_base) == (("bad", "good"), None)
    assert "40 usable rows" in text


def test_of_several_splits_one_is_trained_on_and_one_is_the_test_set(config_of, tmp_path):
    for number, split in enumerate(("train", "validation", "test")):
        save_dataset(tmp_path / "set" / split, [f"{text} {number}" for text in TEXTS], [0, 1] * 20)
    (tmp_path / "set/dataset_dict.json").write_text('{"splits": ["train", "validation", "test"]}')
    config, text = config_of(tmp_path / "set")
    assert (config.data.input_base, config.data.test_base) == (f"{tmp_path}/set/train", f"{tmp_path}/set/test")
    assert "  # split 'train' is trained on, split 'test' is the test set\n" in text
    assert "  # not read: 'validation'; part of 'train' is the eval split\n" in text
    assert "few: about" not in text


@pytest.mark.parametrize("splits", [["train"], ["validation"]])
def test_of_one_split_there_is_no_test_set(config_of, tmp_path, splits):
    save_dataset(tmp_path / "set" / splits[0], TEXTS, [0, 1] * 20)
    (tmp_path / "set/dataset_dict.json").write_text(f'{{"splits": ["{splits[0]}"]}}')
    config, text = config_of(tmp_path / "set")
    assert (config.data.input_base, config.data.test_base) == (f"{tmp_path}/set/{splits[0]}", None)
    assert f"  # split {splits[0]!r} is trained on\n" in text


def test_a_test_split_without_labels_is_no_test_set(config_of, tmp_path):
    for split, labels in (("train", [0, 1]), ("test", [-1, -1])):
        save_dataset(tmp_path / "set" / split, [f"{text} {split}" for text in TEXTS], labels * 20)
    (tmp_path / "set/dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    config, text = config_of(tmp_path / "set")
    assert config.data.test_base is None
    assert "split 'test' is no test set, for none of its rows can be used: row 1: no label in column 'label'\n" in text


def test_a_folder_that_is_no_dataset_is_refused(tmp_path):
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["a", "b"]}')
    with pytest.raises(
        InputError, match=r"has no split 'train' \(it has: a, b\); name the folder of one of its splits$"
    ):
        make_first_config(tmp_path, "text", "label")
    (tmp_path / "dataset_dict.json").unlink()
    (tmp_path / "state.json").write_text("{}")
    with pytest.raises(InputError, match=r"has no \.arrow file; save the dataset again$"):
        make_first_config(tmp_path, "text", "label")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", FORMATS[".json"](FRAME)[:-20], "a.json is no whole JSON: "),
        (
            "a.json",
            FRAME.to_json().encode(),
            "a.json has a column to a key, as pandas writes JSON by default; write a ",
        ),
        ("a.json", b"text,label\n", "a.json is no list of objects; write a list of objects"),
        ("a.xlsx", FORMATS[".xlsx"](FRAME)[:-20], "a.xlsx is not a whole Excel workbook ("),
        (
            "a.xlsx",
            workbook([["text", "label"]], [["b"]]),
            "a.xlsx has 2 sheets with cells (sheet 0, sheet 1); hide or ",
        ),
        ("a.xlsx", b"text,label\n", "a.xlsx is no Excel workbook; let its name say what it is"),
        ("a.arrow", FORMATS[".arrow"](FRAME)[:-20], "a.arrow is not a whole Arrow file ("),
        ("a.feather", FORMATS[".feather"](FRAME)[:-20], "a.feather is not a whole Arrow file ("),
        ("a.arrow", b"text,label\n", "a.arrow is no Arrow; let its name say what it is"),
        ("a.csv.zst", COMPRESSIONS[".zst"](FORMATS[".csv"](FRAME))[:-5], "a.csv.zst is not a whole zstd file ("),
        ("a.csv.xz", b"text,label\n", "a.csv.xz is not a whole xz file ("),
        ("a.zip", b"text,label\n", "a.zip is not a whole zip file ("),
        ("a.csv", COMPRESSIONS[".zst"](b"text,label\n"), "a.csv is compressed with zstd, not CSV; let its name end in"),
    ],
)
def test_a_file_that_makes_no_config_is_refused_with_the_reason(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as refused:
        make_first_config(tmp_path / name, "text", "label")
    assert message in refused.value.text(CONFIG_KEYS)
    assert "\n" not in str(refused.value)

import time
from pathlib import Path

import pytest
import yaml

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.loading import load_config
from tests.pipeline.config.refusal import MINIMAL, refusal

BOMB = "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize("text", ["name: a\nname: b\n", "training:\n  epochs: 1\n  epochs: 2\n", "{a: {b: 1, 'b': 2}}"])
def test_a_key_that_stands_twice_is_refused_with_its_line(load, text: str):
    message = refusal(load, text)
    assert "stands twice" in message
    assert ", line " in message


@pytest.mark.parametrize(
    "value", ["!!python/object/apply:os.mkdir [{}]", "!!python/name:os.system", "!!python/tuple [1]"]
)
def test_yaml_never_builds_python_objects(load, tmp_path: Path, value: str):
    made = tmp_path / "made"
    assert "not valid YAML" in refusal(load, f"name: {value.format(made)}\n")
    refusal(load, yaml.safe_dump(MINIMAL), f"name={value.format(made)}")
    assert "not valid YAML" in refusal(load, yaml.safe_dump(MINIMAL), f"beam.args=[{value.format(made)}]")
    assert not made.exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty; make a config with: fullbake init data.csv"),
        ("# later\n", "is empty; make a config with: fullbake init data.csv"),
        ("- a", "a config is a mapping of keys to values"),
        ("a: b: c", "line 1: not valid YAML"),
        ("name: a\ndata:\n\tb: c", "line 3: not valid YAML: while scanning for the next token, found character '\\t'"),
        ("name:\n\ta", "write spaces in place of the tab"),
        ("name: a\n---\nname: b", "line 2: not valid YAML: expected a single document in the stream, but found"),
        ("{[a]: 1}", "line 1: not valid YAML: a key is one word, not a list or a mapping"),
        ("? {a: b}\n: c", "a key is one word, not a list or a mapping"),
        ("name: a\0", "line 1: not valid YAML: the character U+0000 may not stand in it"),
        ("name: *missing", "line 1: not valid YAML: found undefined alias 'missing'"),
        ("name: !!int abc", "line 1: not valid YAML: 'abc' is no int"),
        ("name: !!timestamp abc", "the tag !!timestamp has no place in a config"),
        ("name: !!binary '!'", "the tag !!binary has no place in a config"),
        ("name: a\n<<: 5", "line 2: not valid YAML: << needs a mapping, such as *name"),
        ("name: &a [*a]", "nested too deeply, or in itself"),
        ("name: " + "[" * 100_000, "nested too deeply"),
        ("- " * 100_000, "nested too deeply"),
        ("{a: " * 100_000, "nested too deeply"),
        ("a: &a [x, x, x, x, x, x, x, x, x, x]\n" + BOMB, "its anchors make more than 50,000 values of it"),
        ("labels:\n" + "- a\n" * 250_001, "more than 1,000,000 bytes is no config; make a config with: fullbake init"),
    ],
)
def test_a_file_that_is_no_config_is_refused_in_one_line(load, text: str, reason: str):
    assert reason in refusal(load, text)


@pytest.mark.parametrize(
    "content",
    [b"text,label\ngood day,good\n", b'text;label\n"a: ""b""";good\n', b"\x1f\x8b\x08\x00", b"a,b\n" * 300_000],
    ids=["commas", "semicolons", "gzip", "large"],
)
def test_data_given_as_a_config_is_recognised(tmp_path: Path, content: bytes):
    (tmp_path / "data.csv").write_bytes(content)
    started = time.monotonic()
    with pytest.raises(InputError) as caught:
        load_config(tmp_path / "data.csv")
    assert time.monotonic() - started < 2
    remedy = f"this looks like data; make a config of it with: fullbake init {tmp_path}/data.csv --output config.yaml"
    assert str(caught.value).endswith(f"; {remedy}")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_says_how_to_make_one(tmp_path: Path):
    with pytest.raises(InputError, match=r"none\.yaml: there is no such config file; make one with: fullbake init"):
        load_config(tmp_path / "none.yaml")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path):
    (tmp_path / "latin.yaml").write_bytes("# x\nname: caf\xe9".encode("latin-1"))
    (tmp_path / "windows.yaml").write_text("name: a", encoding="utf-16")
    for path, reason in (
        (tmp_path / "latin.yaml", r"latin.yaml, line 2: the config file cannot be read: it is not UTF-8; save it as"),
        (tmp_path / "windows.yaml", r"line 1: the config file cannot be read: it is not UTF-8"),
        (tmp_path, "is a folder; name the config file in it"),
        (tmp_path / "latin.yaml" / "x", "the config file cannot be read: Not a directory$"),
        (tmp_path / ("x" * 300), "the config file cannot be read: File name too long$"),
    ):
        with pytest.raises(InputError, match=reason):
            load_config(path)


def test_words_that_old_yaml_takes_for_dates_and_other_numbers_are_the_text_they_are(load):
    labels = ["2024-01-01", "010", "1:30", "1_000", "0x1F", "+5", "-0", "1e3", "9" * 5000, "2001-12-14t21:59:43Z"]
    text = "name: n\ndata: {input_base: 2024-01-01, labels: [" + ", ".join(labels) + "]}"
    config = load(text)
    assert (config.data.input_base, config.data.labels) == ("2024-01-01", tuple(labels))
    assert load(config.to_yaml()) == config


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("9" * 5000, "99' is too great a number"),
        ("-" + "9" * 90, "should be greater than or equal to 0"),
        ("1:30", "'1:30' should be a valid integer"),
        ("0x10", "'0x10' should be a valid integer"),
        ("2024-01-01", "'2024-01-01' should be a valid integer"),
    ],
)
def test_a_number_written_oddly_is_refused_in_one_short_line(load, value: str, reason: str):
    for arguments in (
        (yaml.safe_dump(MINIMAL), f"training.seed={value}"),
        (f"{yaml.safe_dump(MINIMAL)}training: {{seed: {value}}}",),
    ):
        message = refusal(load, *arguments)
        assert reason in message
        assert len(message) < 600


def test_keys_are_the_words_that_were_written(load):
    labels = "labels: ['yes', '010', '0.50']"
    label_map = "label_map: {no: 'yes', 2024-01-01: '010', 0.50: '0.50'}"
    config = load(f"name: n\ndata: {{input_base: d, {labels}, {label_map}}}")
    assert config.data.label_map == {"no": "yes", "2024-01-01": "010", "0.50": "0.50"}
    for key in ("1", "null", "no", "1.5", "''"):
        assert "unknown key" in refusal(load, f"{yaml.safe_dump(MINIMAL)}{key}: 2")


def test_anchors_and_merge_keys_work_and_tie_nothing_together(load):
    config = load(
        """
name: n
data: {input_base: d, labels: &labels [good, bad], label_map: {}}
gate: {min_recall: &bounds {good: 0.5, bad: 0.5}, min_precision: *bounds}
training: &rates {epochs: 2, batch_size: 4}
pretraining: {<<: *rates, epochs: 1}
""",
        "gate.min_recall.bad=0.9",
    )
    assert config.gate.min_recall == {"good": 0.5, "bad": 0.9}
    assert config.gate.min_precision == {"good": 0.5, "bad": 0.5}
    assert (config.pretraining.epochs, config.pretraining.batch_size) == (1, 4)


def test_a_byte_order_mark_is_not_part_of_the_first_key(load):
    assert load("\ufeff" + yaml.safe_dump(MINIMAL)).name == "small"

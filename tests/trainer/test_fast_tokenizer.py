"""A base whose tokenizer is a SentencePiece model alone, trained with the sentencepiece package."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from transformers import AutoTokenizer

from fullbake.components.tokenizer.row_tokenizer import RowTokenizer
from fullbake.contract.errors import InputError
from fullbake.pipeline.token_survey import find_initial_base
from fullbake.trainer.encoder.base_model import hash_base, resolve_base
from fullbake.trainer.encoder.base_weights import check_weights
from fullbake.trainer.encoder.families import FAMILIES
from fullbake.trainer.encoder.fast_tokenizer import with_fast_tokenizer
from tests.components.tokenizer.languages import SENTENCES
from tests.sentencepiece_models import KINDS, leave_it_alone, save_alone

TEXTS = [*(text for texts in SENTENCES.values() for text in texts), "", "  two  spaces ", "naïve ﬁt ½ ™", "x\ty\nz"]
# Of the symbols that ALBERT's makers had in its vocabulary whatever the texts.
SYMBOLS = ["you are (very) bad", "a good-day, (you)", '"no" - it is.not', "5£ or €5"]
KNOWN = [family for family in KINDS if family in FAMILIES]

SCRIPT = """
import sys
from pathlib import Path
from fullbake.components.tokenizer.kinds_of_files import read_files
from fullbake.contract.errors import InputError
from fullbake.trainer.encoder.base_model import resolve_base
try:
    read_files(resolve_base(sys.argv[1]))
except InputError as error:
    print(error)
print(sorted({"tensorflow", "torch", "tfx", "apache_beam"} & sys.modules.keys()))
"""


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/fullbake"


@pytest.fixture
def no_converter(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From the call on, nothing can be converted."""

    def refuse(*args: object, **settings: object) -> None:
        raise AssertionError("converted once more")

    return lambda: monkeypatch.setattr(AutoTokenizer, "from_pretrained", refuse)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("kind", KINDS)
def test_its_fast_tokenizer_finds_the_tokens_that_transformers_finds(kind: str, tmp_path: Path):
    folder = save_alone(tmp_path / "base", kind)
    (folder / "config.json").write_text(json.dumps({"model_type": kind}))
    before = contents(folder)
    made = with_fast_tokenizer(folder, before)
    assert contents(folder) == before
    assert set(before) < {file.name for file in made.iterdir()}
    theirs, slow = (AutoTokenizer.from_pretrained(folder, use_fast=fast) for fast in (True, False))
    ours = AutoTokenizer.from_pretrained(made)
    assert type(ours) is type(theirs)
    assert ours.get_vocab() == theirs.get_vocab()
    texts = TEXTS + SYMBOLS * (kind != "albert")
    for pair in (None, texts[::-1]):
        assert ours(texts, pair)["input_ids"] == theirs(texts, pair)["input_ids"]
    # transformers' own lets a word begin after each such symbol, which the model was not trained on.
    assert [ours.tokenize(text) for text in SYMBOLS] == [slow.tokenize(text) for text in SYMBOLS]


@pytest.mark.parametrize("kind", KNOWN)
def test_such_a_base_is_taken_by_all_that_open_one_and_is_converted_once(
    kind: str, base_of, tmp_path: Path, cache: Path, no_converter, monkeypatch: pytest.MonkeyPatch
):
    folder = leave_it_alone(base_of(kind), kind)
    before = contents(folder)
    made = resolve_base(str(folder))
    theirs = AutoTokenizer.from_pretrained(made, split_special_tokens=True)
    wanted = theirs(TEXTS + SYMBOLS, truncation=True, padding="max_length", max_length=32, return_tensors="np")
    # On another machine the same comes of it.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    there = resolve_base(str(folder))
    assert there != made
    assert hash_base(there) == hash_base(made)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache.parent))
    no_converter()
    assert resolve_base(str(folder)) == made
    assert made.name == folder.name
    assert contents(folder) == before
    check_weights(made, pooler=False)
    for name in before.keys() - {"tokenizer_config.json"}:
        assert (made / name).resolve() == folder / name
    ours = RowTokenizer.from_folder(made, max_length=32)(tf.constant(TEXTS + SYMBOLS))
    np.testing.assert_array_equal(ours["input_ids"], wanted["input_ids"])
    counter = find_initial_base(str(folder)).counter
    assert counter.exact
    assert counter.count(TEXTS)[:, 0].tolist() == [len(ids) - 2 for ids in theirs(TEXTS)["input_ids"]]
    # Where it is does not matter, and what is in it does.
    moved = Path(shutil.copytree(folder, tmp_path / "moved"))
    assert (resolve_base(str(moved)) / "tokenizer.json").samefile(made / "tokenizer.json")
    (moved / "tokenizer_config.json").write_text('{"model_max_length": 9}')
    with pytest.raises(InputError, match="converted once more"):
        resolve_base(str(moved))


def test_a_base_with_a_fast_tokenizer_stays_where_it_is(base_of, cache: Path, no_converter):
    no_converter()
    folder = base_of("xlm-roberta")
    (folder / KINDS["xlm-roberta"][0]).write_bytes(b"not read")
    assert resolve_base(str(folder)) == folder
    assert not cache.exists()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("sentencepiece.bpe.model", b"version https://git-lfs.github.com/spec/v1\n", "makes no fast tokenizer of"),
        ("tokenizer_config.json", b'{"auto_map": {"AutoTokenizer": ["x.X", null]}}', "is code of its own"),
        ("tokenizer_config.json", b"{", "makes no fast tokenizer of"),
    ],
)
def test_what_cannot_be_converted_is_refused_in_one_line_and_leaves_nothing(
    base_of, cache: Path, name: str, content: bytes, says: str
):
    folder = save_alone(base_of("xlm-roberta"), "xlm-roberta")
    (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"^base: .*{folder}/sentencepiece\.bpe\.model ") as raised:
        resolve_base(str(folder))
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)
    assert [file for file in cache.rglob("*") if file.is_file()] == []


def test_it_is_converted_without_a_heavy_library(base_of, tmp_path: Path):
    good, bad = (save_alone(base_of("xlm-roberta"), "xlm-roberta") for _ in range(2))
    (bad / "sentencepiece.bpe.model").write_bytes(b"nothing")
    for folder, says in ((good, "and the model only"), (bad, "makes no fast tokenizer")):
        command = [sys.executable, "-W", "ignore", "-c", SCRIPT, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ})
        refused, heavy = done.stdout.splitlines()
        assert says in refused
        assert heavy == "[]"
        assert done.stderr == ""


def test_where_no_cache_folder_can_be_the_one_for_temporary_files_is_taken(
    base_of, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = save_alone(base_of("xlm-roberta"), "xlm-roberta")
    (tmp_path / "a file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a file"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = resolve_base(str(folder))
    assert made.is_relative_to(tmp_path / f"fullbake-{os.getuid()}")
    shutil.rmtree(tmp_path / f"fullbake-{os.getuid()}")
    (tmp_path / f"fullbake-{os.getuid()}").touch()
    with pytest.raises(InputError, match="set XDG_CACHE_HOME to one that can be written to"):
        resolve_base(str(folder))

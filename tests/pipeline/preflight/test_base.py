import json
import shutil
from pathlib import Path

import pytest

from fullbake.trainer.encoder.base_model import check_pairs
from tests.pipeline.preflight.refusal import FURTHER, refusal


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


def test_a_base_whose_tokenizer_is_of_no_known_kind_is_refused(check, base: Path, tmp_path: Path):
    # Byte-pair encoding, and the settings of BERT's tokenizer.
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


def test_roberta_counts_its_positions_behind_padding_and_tells_pairs_apart_without_types(check, base_of):
    roberta = str(base_of("roberta"))
    check({"base": roberta, "max_length": 64})
    message = refusal(check, model={"base": roberta, "max_length": 65})
    assert message.startswith("model.max_length: 65 is more than the 64 positions that ")
    check_pairs(Path(roberta))
    message = refusal(check, model={"base": roberta, **FURTHER}, pretraining={"next_sentence": True})
    assert message.startswith(f"pretraining.next_sentence: {roberta} cannot tell a first sentence from a second ")

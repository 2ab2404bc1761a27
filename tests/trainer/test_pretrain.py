import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from transformers import TFAutoModelForMaskedLM

from fullbake.contract.errors import InputError
from fullbake.trainer import pretrain as pretraining
from fullbake.trainer.data.input_pipeline import TokenizedSplit
from fullbake.trainer.devices.distribution import choose_placement
from fullbake.trainer.encoder.families import FAMILIES
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.pretrain import pretrain
from fullbake.trainer.spec import PretrainingSpec
from tests.conftest import VOCABULARY
from tests.trainer.tokenized import read_split
from tests.trainer.trainings import interrupted

SPEC = PretrainingSpec(
    base="",
    revision=None,
    batch_size=16,
    epochs=2,
    learning_rate=3e-3,
    mask_probability=0.15,
    whole_word=False,
    next_sentence=False,
    seed=0,
    mixed_precision="float32",
    distribution="none",
)


def counting_rows(rows: int, seed: int) -> list[tuple[list[int], int]]:
    """Rows in which each token is the one before it plus one: a hidden token can be told from its neighbours."""
    rng = np.random.default_rng(seed)
    return [([2, *range(start, start + 8), 3], 0) for start in rng.integers(5, 40, rows)]


def run(base: Path, *splits: TokenizedSplit, checkpoints: Path | None = None, **changes):
    spec = dataclasses.replace(SPEC, **changes)
    placement = choose_placement(spec.distribution, spec.mixed_precision, base)
    return pretrain(spec, placement, base, *splits, checkpoints=checkpoints)


@pytest.fixture
def splits(tmp_path: Path) -> tuple[TokenizedSplit, TokenizedSplit]:
    return read_split(counting_rows(160, 1), tmp_path / "train"), read_split(counting_rows(40, 2), tmp_path / "eval")


def test_the_perplexity_falls_on_text_that_can_be_learned(base: Path, splits):
    model, record = run(base, *splits, epochs=30)
    first, *_, last = record.evaluations
    assert (first.step, last.step) == (0, 300)
    # At first each token of the vocabulary is about as likely as the next.
    assert first.perplexity == pytest.approx(len(VOCABULARY), rel=0.2)
    assert last.perplexity < 20
    assert last.perplexity == pytest.approx(np.exp(last.loss))
    assert [found.step for found in record.evaluations] == [0, *range(10, 310, 10)]
    assert record.new_head
    assert record.rows == 160
    assert record.parameters == model.encoder.count_params()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_layer_changes_and_the_fine_tuned_classifier_starts_from_it(
    base_of: Callable[[str], Path], splits, tmp_path: Path, family: str
):
    base = base_of(family)
    model, record = run(base, *splits)
    model.encoder.write(base, tmp_path / "hf")
    start = Classifier.from_base(base, "linear", ("a", "b")).paths()
    handed_on = Classifier.from_base(tmp_path / "hf", "linear", ("a", "b")).paths()
    trained = model.encoder.paths()
    assert set(trained) == {path for path in start if path.startswith("encoder/")}
    for path, variable in trained.items():
        assert not np.array_equal(start[path].numpy(), variable.numpy()), path
        np.testing.assert_array_equal(handed_on[path].numpy(), variable.numpy(), path)
    assert all(moved > 0 for moved in record.encoder_shift.values())


def test_the_written_folder_is_a_masked_lm_of_the_same_answers(base: Path, splits, tmp_path: Path):
    model, _ = run(base, *splits, epochs=1)
    model.encoder.write(base, tmp_path / "hf")
    loaded, found = TFAutoModelForMaskedLM.from_pretrained(tmp_path / "hf", output_loading_info=True)
    assert not found["missing_keys"]
    batch = splits[1].take(np.arange(4))
    np.testing.assert_allclose(loaded(batch).logits, model.encoder.model(batch).logits, atol=1e-5)


def test_another_seed_gives_other_weights(base: Path, splits):
    # That the same one gives the same weights is seen where a training is interrupted.
    weights = [run(base, *splits, epochs=1, seed=seed)[0].encoder.get_weights() for seed in (3, 4)]
    assert not all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))


def test_a_pooler_that_masked_lm_has_no_use_for_is_handed_on(base: Path, splits, tmp_path: Path):
    model, _ = run(base, *splits, epochs=1)
    model.encoder.write(base, tmp_path / "hf", more=model.encoder.left_out(base))
    before, after = (Classifier.from_base(folder, "hf", ("a", "b")).paths() for folder in (base, tmp_path / "hf"))
    for name in ("kernel", "bias"):
        path = f"encoder/pooler/dense/{name}"
        np.testing.assert_array_equal(after[path].numpy(), before[path].numpy())
    _, found = TFAutoModelForMaskedLM.from_pretrained(tmp_path / "hf", output_loading_info=True)
    assert not found["missing_keys"]


def test_texts_with_nothing_to_hide_are_passed_over(base: Path, splits, tmp_path: Path):
    # [CLS] [UNK] [SEP] fills the batches of the eval split; beside other rows, it is learned from as it is.
    nothing = read_split([([2, 1, 3], 0)] * 40, tmp_path / "nothing")
    _, record = run(base, read_split(counting_rows(20, 1) + [([2, 1, 3], 0)] * 40, tmp_path / "some"), nothing)
    assert [found.loss for found in record.evaluations] == [0.0] * 3


def test_the_early_measure_lies_within_the_first_epoch(base: Path, splits, monkeypatch):
    monkeypatch.setattr(pretraining, "EARLY_STEPS", 4)
    _, record = run(base, *splits)
    assert [(found.step, found.epoch) for found in record.evaluations] == [(0, 0), (4, 0.4), (10, 1), (20, 2)]


def test_an_interrupted_training_makes_the_very_model_of_an_undisturbed_one(
    base: Path, splits, tmp_path: Path, monkeypatch
):
    def trained(checkpoints: Path | None):
        return run(base, *splits, next_sentence=True, gradient_accumulation_steps=2, checkpoints=checkpoints)

    whole, undisturbed = trained(None)
    interrupted(monkeypatch, 2, lambda: trained(tmp_path / "kept"))
    resumed, record = trained(tmp_path / "kept")
    assert all(np.array_equal(*pair) for pair in zip(whole.get_weights(), resumed.get_weights(), strict=True))
    assert record == undisturbed
    assert [found.step for found in record.evaluations] == [0, 5, 10]


def test_next_sentences_are_learned_beside_the_hidden_tokens(base: Path, tmp_path: Path):
    # Ends in a full stop (token 48 of the tests' vocabulary), then a second sentence that counts on.
    full_stop = json.loads((base / "tokenizer.json").read_text())["model"]["vocab"]["."]
    rows = [([2, *range(s, s + 5), full_stop, *range(s + 5, s + 10), 3], 0) for s in range(5, 30)] * 4
    splits = read_split(rows, tmp_path / "train"), read_split(rows[:25], tmp_path / "eval")
    model, record = run(base, *splits, next_sentence=True)
    assert model.follow_head is not None
    assert record.evaluations[-1].loss < record.evaluations[0].loss
    assert not [v for v in model.encoder.variables if "follows" in v.name]


def test_a_training_that_diverges_is_stopped_with_a_remedy(base: Path, splits):
    with pytest.raises(InputError, match=r"^pretraining_learning_rate: the loss is nan.*lower the rate"):
        run(base, *splits, learning_rate=1e30)


def test_a_head_that_is_not_tied_to_the_embeddings_is_refused(base: Path, splits, tmp_path: Path):
    config = json.loads((base / "config.json").read_text()) | {"tie_word_embeddings": False}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"^approach: further_pretrain reads hidden words off the embeddings"):
        run(tmp_path, *splits)

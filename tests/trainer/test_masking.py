from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from transformers import RobertaTokenizerFast

from fullbake.trainer.data.masking import MASKED, REPLACED, Masker, Vocabulary
from tests.conftest import PIECES, SPECIAL, VOCABULARY

ROWS, WIDTH = 400, 96


@pytest.fixture(scope="module")
def vocabulary(base: Path) -> Vocabulary:
    return Vocabulary.read(base)


@pytest.fixture(scope="module")
def batch() -> dict[str, tf.Tensor]:
    """Rows of [CLS], words and pieces, [SEP], with an [UNK] in each, padded to one width."""
    rng = np.random.default_rng(0)
    ids = np.zeros((ROWS, WIDTH), np.int32)
    mask = np.zeros_like(ids)
    for row in range(ROWS):
        length = int(rng.integers(6, WIDTH + 1))
        ids[row, :length] = rng.integers(len(SPECIAL), len(VOCABULARY), length)
        ids[row, 0], ids[row, length - 1], ids[row, 3] = 2, 3, 1
        mask[row, :length] = 1
    return {"input_ids": tf.constant(ids), "attention_mask": tf.constant(mask)}


def hide(masker: Masker, batch: dict[str, tf.Tensor], number: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Which tokens are to be guessed, bool (rows, width), and the masked batch."""
    masked = {name: value.numpy() for name, value in masker(tf.constant(number, tf.int64), batch).items()}
    chosen = np.zeros((ROWS, WIDTH), bool)
    for row in range(ROWS):
        chosen[row, masked["positions"][row][masked["weights"][row] > 0]] = True
    return chosen, masked


def test_a_vocabulary_knows_its_special_tokens_continuations_and_sentence_ends(vocabulary: Vocabulary):
    tokens = np.array(VOCABULARY)
    assert vocabulary.mask_id == SPECIAL.index("[MASK]")
    assert tokens[vocabulary.special].tolist() == SPECIAL
    assert tokens[vocabulary.ends_sentence].tolist() == [".", "!", "?"]
    assert all(token.startswith("##") for token in tokens[vocabulary.continues])
    assert vocabulary.continues.sum() == 26


def test_a_sentencepiece_vocabulary_knows_its_special_tokens_continuations_and_sentence_ends(base_of):
    known = Vocabulary.read(base_of("xlm-roberta"))
    tokens = np.array(["<s>", "<pad>", "</s>", "<unk>", *(piece for piece, _ in PIECES), "<mask>"])
    assert tokens[known.mask_id] == "<mask>"
    assert tokens[known.special].tolist() == ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    assert {"▁", "▁you"} <= set(tokens[~known.continues])
    assert {"a", "z", "."} <= set(tokens[known.continues])
    assert tokens[known.ends_sentence].tolist() == [".", "!", "?"]


@pytest.mark.parametrize("whole_word", [False, True])
def test_special_tokens_and_padding_are_never_chosen_even_when_everything_is(vocabulary, batch, whole_word: bool):
    chosen, masked = hide(Masker(vocabulary, 0.9999, whole_word, seed=1), batch, 0)
    ids = batch["input_ids"].numpy()
    maskable = (batch["attention_mask"].numpy() == 1) & ~vocabulary.special[ids]
    assert (chosen == maskable).mean() > 0.999
    assert not (chosen & ~maskable).any()
    # What is not chosen is untouched.
    assert np.array_equal(masked["input_ids"][~chosen], ids[~chosen])


@pytest.mark.parametrize("whole_word", [False, True])
@pytest.mark.parametrize("probability", [0.15, 0.4])
def test_the_part_that_is_chosen_and_what_becomes_of_it_are_as_asked(vocabulary, batch, probability, whole_word):
    masker = Masker(vocabulary, probability, whole_word, seed=1)
    ids = batch["input_ids"].numpy()
    maskable = (batch["attention_mask"].numpy() == 1) & ~vocabulary.special[ids]
    long = maskable.sum(axis=1) >= 64  # in short rows the one token that every row has lifts the part
    chosen_tokens = tokens = hidden = replaced = 0
    for number in range(20):
        chosen, masked = hide(masker, batch, number)
        chosen_tokens += chosen[long].sum()
        tokens += maskable[long].sum()
        now = masked["input_ids"]
        hidden += (now == vocabulary.mask_id)[chosen].sum() / chosen.sum() / 20
        replaced += ((now != vocabulary.mask_id) & (now != ids))[chosen].sum() / chosen.sum() / 20
        assert not vocabulary.special[now[chosen & (now != vocabulary.mask_id)]].any()
    # Within five standard errors of about 100,000 draws; words of several pieces vary more.
    assert chosen_tokens / tokens == pytest.approx(probability, abs=0.012)
    assert hidden == pytest.approx(MASKED, abs=0.012)
    # One in so many replacements is the token itself.
    assert replaced == pytest.approx(REPLACED * (1 - 1 / (~vocabulary.special).sum()), abs=0.01)


def test_targets_are_what_stood_at_the_positions(vocabulary, batch):
    chosen, masked = hide(Masker(vocabulary, 0.15, False, seed=1), batch, 0)
    ids = batch["input_ids"].numpy()
    for row in range(ROWS):
        real = masked["weights"][row] > 0
        assert masked["targets"][row][real].tolist() == ids[row, masked["positions"][row][real]].tolist()
        assert real.sum() == chosen[row].sum() >= 1
    assert masked["weights"].sum(axis=1).max() == masked["weights"].shape[1], "no more places than needed"
    np.testing.assert_allclose(masked["shares"], masked["weights"] / masked["weights"].sum())


def test_every_epoch_has_masks_of_its_own_and_a_seed_fixes_them(vocabulary, batch):
    masker = Masker(vocabulary, 0.15, False, seed=1)
    first, again, later = (hide(masker, batch, number)[0] for number in (0, 0, 100))
    other_seed = hide(Masker(vocabulary, 0.15, False, seed=2), batch, 0)[0]
    assert np.array_equal(first, again)
    for other in (later, other_seed):
        # Of what is chosen once, about a seventh is chosen again, as chance has it.
        assert (first & other).sum() / first.sum() == pytest.approx(0.17, abs=0.05)


def test_whole_words_are_hidden_with_all_their_pieces(vocabulary, batch):
    chosen, _ = hide(Masker(vocabulary, 0.3, True, seed=1), batch, 0)
    ids = batch["input_ids"].numpy()
    for row in range(ROWS):
        for at in range(2, WIDTH):
            # [UNK] in the middle of a word is never chosen, and the pieces behind it belong to the word before it.
            if vocabulary.continues[ids[row, at]] and not vocabulary.special[ids[row, at - 1]]:
                assert chosen[row, at] == chosen[row, at - 1]


def test_static_shapes_give_each_batch_of_one_width_the_same_places(vocabulary, batch):
    masker = Masker(vocabulary, 0.15, False, seed=1, static_shapes=True)
    shapes = {hide(masker, batch, number)[1]["positions"].shape for number in range(5)}
    assert shapes == {(ROWS, 23)}  # 1 + 1.5 x 15% of 96, rounded up


def test_a_batch_with_nothing_to_hide_has_a_place_without_weight(vocabulary):
    nothing = {"input_ids": tf.constant([[2, 1, 3]] * 3), "attention_mask": tf.ones([3, 3], tf.int32)}
    masked = Masker(vocabulary, 0.15, False, seed=1)(tf.constant(0, tf.int64), nothing)
    assert masked["positions"].shape == (3, 1)
    assert float(tf.reduce_sum(masked["weights"])) == float(tf.reduce_sum(masked["shares"])) == 0.0
    assert np.array_equal(masked["input_ids"], nothing["input_ids"])


def test_words_of_byte_level_bpe_begin_with_a_space_or_a_text(base_of):
    base = base_of("roberta")
    vocabulary = Vocabulary.read(base)
    tokenizer = RobertaTokenizerFast.from_pretrained(base)
    assert np.flatnonzero(vocabulary.special).tolist() == [0, 1, 2, 3, 4]
    texts = ["zebra garden is xyz", "yx lovely qqq", "idiot"] * 40
    found = tokenizer(texts, texts[::-1], padding=True, return_tensors="np")
    rows = {name: tf.constant(found[name], tf.int32) for name in ("input_ids", "attention_mask")}
    batch = Masker(vocabulary, 0.4, True, seed=1)(tf.constant(0, tf.int64), rows)
    masked = {name: value.numpy() for name, value in batch.items()}
    hidden = np.zeros(found["input_ids"].shape, bool)
    for row, (places, weights) in enumerate(zip(masked["positions"], masked["weights"], strict=True)):
        hidden[row, places[weights > 0]] = True
    parts: list[set[bool]] = []
    for row, ids in enumerate(found["input_ids"].tolist()):
        for at, token in enumerate(tokenizer.convert_ids_to_tokens(ids)):
            if ids[at] < 5:
                assert not hidden[row, at]
                continue
            if token.startswith("Ġ") or ids[at - 1] < 5:
                parts.append(set())
            parts[-1].add(bool(hidden[row, at]))
    assert all(len(part) == 1 for part in parts)
    assert 0.3 < np.mean([True in part for part in parts]) < 0.6
    # A text's first word, without a space, and the next are hidden apart.
    first = tokenizer.convert_ids_to_tokens(found["input_ids"][0].tolist())
    second = next(at for at, token in enumerate(first) if token.startswith("Ġ"))
    assert len({(row[1], row[second]) for row in hidden[::3].tolist()}) == 4

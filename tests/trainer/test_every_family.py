"""Texts through every family: trained, interrupted, frozen, exported, read in windows, hidden by words, counted."""

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text  # noqa: F401
import tensorflow_transform as tft
from transformers import AutoTokenizer, TFAutoModelForSequenceClassification

from fullbake.components.tokenizer.kinds_of_files import read_files
from fullbake.components.tokenizer.split_tokens import SplitCounter
from fullbake.components.tokenizer.tokenizer_files import TokenizerFiles
from fullbake.components.tokenizer.tokenizer_spec import TokenizerSpec
from fullbake.contract.names import HF_FOLDER
from fullbake.contract.results.training import Training
from fullbake.pipeline.token_survey import find_initial_base
from fullbake.trainer.data.input_pipeline import TokenizedSplit
from fullbake.trainer.data.masking import Masker, Vocabulary
from fullbake.trainer.data.windowed_split import TokenizedWindows
from fullbake.trainer.decision import score_split
from fullbake.trainer.encoder.families import FAMILIES
from fullbake.trainer.export import export_model
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.models.window_pooling import over_windows
from fullbake.trainer.windows import Windows
from tests.components.raw_examples import write_examples
from tests.conftest import WORDS, make_transform
from tests.trainer.test_hugging_face import scatter, spread_logits
from tests.trainer.trainings import LABELS, interrupted, make_spec, measures, train, values
from tests.trainer.windowed import packed

WIDTH = 16
WINDOWS = Windows(length=10, overlap=3, most=5, pooling="max")
# Letters between white space: so tokenizers agree on what a word is.
WORD = "zebra garden is xyz you yx lovely qqq idiot"
_DRAW = random.Random(0)  # noqa: S311
TEXTS = ["", *(" ".join(_DRAW.choices(WORDS, k=_DRAW.randint(1, 9))) for _ in range(39))]
PAIRS = list(zip(TEXTS, ["it", *TEXTS[:0:-1]], strict=True))
TEXT_NAMES = ("text", "text_pair")


@dataclass(frozen=True)
class Made:
    """A family's base, and what came of a training on pairs that was interrupted, and of one that was not."""

    base: Path
    transform: tft.TFTransformOutput
    splits: tuple[TokenizedSplit, TokenizedSplit]
    trained: dict[str, np.ndarray]
    record: Training
    resumed: dict[str, np.ndarray]
    resumed_record: Training
    classifier: Classifier
    model: Path


def tokenized(transform: tft.TFTransformOutput, pairs: list[tuple[str, str]]) -> TokenizedSplit:
    """Pairs as a training reads them from Transform; the label says whether the first is longer."""
    columns = {
        name: tf.constant(column)[:, None] for name, column in zip(TEXT_NAMES, zip(*pairs, strict=True), strict=True)
    }
    tokens = {name: value.numpy() for name, value in transform.transform_features_layer()(columns).items()}
    real = tokens.pop("attention_mask").astype(bool)
    streams = {name: value[real].astype(np.int32) for name, value in tokens.items()}
    labels = np.array([len(pair[0]) > len(pair[-1]) for pair in pairs], np.int32)
    return TokenizedSplit(streams, np.cumsum([0, *real.sum(axis=1)]), labels, WIDTH)


@pytest.fixture(scope="module", params=FAMILIES)
def made(request, base_of, tmp_path_factory: pytest.TempPathFactory) -> Made:
    base, folder = base_of(request.param), tmp_path_factory.mktemp("made")
    transform = make_transform(base, folder / "transform", LABELS, WIDTH, text_pair=True)
    splits = (tokenized(transform, PAIRS), tokenized(transform, PAIRS[:9]))
    spec = make_spec(base, epochs=2, unfreeze_layers_per_epoch=1, layer_decay=0.1)

    def again():
        return train(spec, *splits, scratch=folder, checkpoints=folder / "kept")

    classifier, record = train(spec, *splits, scratch=folder)
    with pytest.MonkeyPatch.context() as patch:
        interrupted(patch, 2, again)
    resumed, resumed_record = again()
    trained = values(classifier)
    # So few steps teach nothing; changed at random, it tells texts apart.
    scatter(classifier.variables)
    texts = {name: tf.constant(column) for name, column in zip(TEXT_NAMES, zip(*PAIRS, strict=True), strict=True)}
    spread_logits(classifier, transform, texts)
    export_model(classifier, spec, transform, folder / "model", base=base)
    return Made(base, transform, splits, trained, record, values(resumed), resumed_record, classifier, folder / "model")


def test_layers_join_from_the_top_and_learn_slower_than_the_one_above(made: Made):
    shift = made.record.encoder_shift
    assert set(shift) - {"pooler"} == {"embeddings", "layer 1", "layer 2"}
    # They would join in a third epoch. Layer 1 joins for the second, without its lower rate for some 0.4 of the way.
    assert shift["embeddings"] == 0 < shift["layer 1"] < 0.1 * shift["layer 2"]


def test_an_interrupted_training_makes_the_very_model_of_an_undisturbed_one(made: Made):
    assert made.trained.keys() == made.resumed.keys()
    assert [path for path, value in made.trained.items() if not np.array_equal(value, made.resumed[path])] == []
    assert measures(made.resumed_record) == measures(made.record)


def test_a_frozen_base_keeps_its_vectors_and_finds_them_again(made: Made, tmp_path: Path, caplog):
    caplog.set_level("INFO")
    spec = make_spec(made.base, approach="frozen", head="mlp", vectors=str(tmp_path / "vectors"))
    before = values(Classifier.from_base(made.base, "mlp", LABELS))
    first = values(train(spec, *made.splits, scratch=tmp_path)[0])
    assert "were kept by an earlier training" not in caplog.text
    again = values(train(spec, *made.splits, scratch=tmp_path)[0])
    assert caplog.text.count("were kept by an earlier training") == 2
    for path in first:
        assert np.array_equal(first[path], again[path]), path
        assert np.array_equal(before[path], first[path]) is path.startswith("encoder/"), path


def test_pairs_are_served_as_they_were_scored_and_as_hugging_face_answers_them(made: Made):
    serve = tf.saved_model.load(str(made.model)).signatures["serving_default"]

    def served(pairs: list[tuple[str, str]]) -> np.ndarray:
        first, second = (tf.constant(column) for column in zip(*pairs, strict=True))
        return serve(text=first, text_pair=second)["probabilities"].numpy()

    together = served(PAIRS)
    assert np.ptp(together, axis=0).max() > 0.3
    np.testing.assert_allclose(together, score_split(made.classifier, made.splits[0]), atol=1e-5)
    np.testing.assert_allclose(together[:4], np.concatenate([served([pair]) for pair in PAIRS[:4]]), atol=1e-5)
    folder = made.model / HF_FOLDER
    tokens = AutoTokenizer.from_pretrained(folder)(
        *map(list, zip(*PAIRS, strict=True)), truncation=True, padding=True, return_tensors="tf"
    )
    model = TFAutoModelForSequenceClassification.from_pretrained(folder)
    np.testing.assert_allclose(tf.nn.softmax(model(tokens).logits), together, atol=1e-5)


def test_whole_words_are_hidden_with_all_their_tokens(made: Made):
    tokenizer = AutoTokenizer.from_pretrained(made.base)
    found = tokenizer([WORD] * 60, ["garden zzz"] * 60)
    rows = {name: tf.constant(found[name], tf.int32) for name in ("input_ids", "attention_mask")}
    masked = Masker(Vocabulary.read(made.base), 0.4, True, seed=1)(tf.constant(0, tf.int64), rows)
    hidden = np.zeros(rows["input_ids"].shape, bool)
    for row, (places, weights) in enumerate(zip(masked["positions"].numpy(), masked["weights"].numpy(), strict=True)):
        hidden[row, places[weights > 0]] = True
    words: dict[tuple[int | None, int | None], list[int]] = {}
    for place, of in enumerate(zip(found.sequence_ids(0), found.word_ids(0), strict=True)):
        words.setdefault(of, []).append(place)
    assert not hidden[:, words.pop((None, None))].any()
    assert len(words) == len(WORD.split()) + 2
    assert max(map(len, words.values())) > 2
    of_words = np.stack([hidden[:, places].all(axis=1) for places in words.values()])
    assert np.array_equal(of_words, np.stack([hidden[:, places].any(axis=1) for places in words.values()]))
    assert 0.2 < of_words.mean() < 0.6
    # No two words that stand side by side are hidden together only.
    assert (of_words[1:] != of_words[:-1]).any(axis=1).all()


def test_windows_are_cut_as_hugging_face_cuts_them_and_served_as_they_are_scored(made: Made, tmp_path: Path):
    if isinstance(read_files(made.base), TokenizerFiles):
        pytest.skip("test_windows.py and test_windowed_export.py have those of WordPiece")
    transform = make_transform(made.base, tmp_path / "transform", LABELS, WINDOWS.length, windows=WINDOWS)
    texts = [" ".join(TEXTS[row : row + row % 6]) for row in range(24)]
    tokens = transform.transform_features_layer()({"text": tf.constant(texts)[:, None]})
    ids = tf.ragged.boolean_mask(tokens["input_ids"], tokens["attention_mask"] > 0).to_list()
    split = TokenizedWindows.cut(packed([(row, 0) for row in ids], WINDOWS.row_length), WINDOWS, tmp_path / "packed")
    assert {1, WINDOWS.most} <= set(split.window_counts)
    theirs = AutoTokenizer.from_pretrained(made.base)(
        texts, truncation=True, max_length=WINDOWS.length, stride=WINDOWS.overlap, return_overflowing_tokens=True
    )
    starts = np.searchsorted(theirs["overflow_to_sample_mapping"], range(len(texts)))
    cut = np.split(split.windows.streams["input_ids"], split.windows.offsets[1:-1])
    for row, start in enumerate(starts):
        wanted = theirs["input_ids"][start : start + split.window_counts[row]]
        assert [part.tolist() for part in cut[split.bounds[row] : split.bounds[row + 1]]] == wanted
    spec = make_spec(made.base, windows=WINDOWS)
    export_model(made.classifier, spec, transform, tmp_path / "model", base=made.base)
    served = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"](text=tf.constant(texts))
    scored = score_split(over_windows(made.classifier, WINDOWS), split)
    np.testing.assert_allclose(served["probabilities"], scored, atol=1e-5)
    assert np.abs(score_split(made.classifier, split.windows)[split.bounds[:-1]] - scored).max() > 0.01


def test_what_is_cut_is_counted_as_hugging_face_tokenizes_it(made: Made, tmp_path: Path):
    tokenizer = AutoTokenizer.from_pretrained(made.base)
    lengths = [len(ids) for ids in tokenizer(*map(list, zip(*PAIRS, strict=True)))["input_ids"]]
    assert 0 < (cut := sum(length > WIDTH for length in lengths)) < len(PAIRS)
    write_examples(tmp_path / "split", [("fine", *pair) for pair in PAIRS])
    counter = SplitCounter(TokenizerSpec(str(made.base), None, WIDTH, "head"))
    assert counter.count(str(tmp_path / "split"))[0].truncated == cut
    first = find_initial_base(str(made.base)).counter
    assert first.exact
    counts = [first.count(list(column))[:, 0] for column in zip(*PAIRS, strict=True)]
    framed = [len(ids) for ids in tokenizer([""], [""])["input_ids"]]
    assert (sum(counts) + framed).tolist() == lengths

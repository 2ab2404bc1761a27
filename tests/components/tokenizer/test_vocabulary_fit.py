import pytest

from fullbake.components.tokenizer.scripts import NO_LETTERS
from fullbake.components.tokenizer.vocabulary_fit import cut_note, likely_note, vocabulary_note
from fullbake.contract.results.tokens import TokenCount

BASE = "distilbert-base-uncased"
REMEDY = (
    "a multilingual base fits them better, such as bert-base-multilingual-cased, distilbert-base-multilingual-cased or "
    "xlm-roberta-base"
)
SIGNS = f"if that is for the language, {REMEDY}; if it is emoji and signs, write them as words where they matter"
ENGLISH = TokenCount(texts=900, tokens=12_000, words=10_000, unknown=60)


@pytest.mark.parametrize(
    ("scripts", "found"),
    [
        ({"Latin": ENGLISH}, None),
        ({"Latin": ENGLISH, "Hangul": TokenCount(texts=20, tokens=900, words=100, unknown=90)}, None),
        (
            {"Latin": ENGLISH, "Hangul": TokenCount(texts=100, tokens=500, words=100, unknown=2)},
            f"Hangul texts take 5.0 tokens a word; {REMEDY}",
        ),
        (
            {"Han": TokenCount(texts=9, tokens=100, words=99, unknown=57), "Cyrillic": TokenCount(texts=8, tokens=0)},
            f"57% of the tokens of Han texts are unknown; {REMEDY}",
        ),
        (
            {
                "Hangul": TokenCount(texts=9, tokens=50, words=10, unknown=2),
                "Han": TokenCount(texts=2, tokens=9, words=9, unknown=9),
            },
            "Hangul texts take 5.0 tokens a word, and 4% of them are unknown; 100% of the tokens of Han texts are "
            f"unknown; {REMEDY}",
        ),
        ({"Kana": TokenCount(texts=9, tokens=100, words=20)}, None),
        (
            {"Latin": TokenCount(texts=100, tokens=1000, words=900, unknown=40)},
            f"4% of the tokens of Latin texts are unknown; {SIGNS}",
        ),
        ({NO_LETTERS: TokenCount(texts=9, tokens=9, words=9, unknown=9)}, f"100% of the tokens are unknown; {SIGNS}"),
        ({NO_LETTERS: TokenCount(texts=50, tokens=50, words=50, unknown=50), "Latin": ENGLISH}, None),
        ({}, None),
    ],
)
def test_a_vocabulary_that_does_not_fit_is_told_with_the_kind_that_does(scripts, found):
    expected = None if found is None else f"the vocabulary of {BASE} does not fit: {found}"
    assert vocabulary_note(scripts, BASE) == expected


def test_a_multilingual_base_is_not_proposed_in_the_place_of_one():
    note = vocabulary_note({"Ethiopic": TokenCount(texts=9, tokens=9, words=9, unknown=9)}, "my/bert-multilingual")
    assert note is not None
    assert note.endswith("are unknown; a base made for their language fits them better")


@pytest.mark.parametrize(
    ("scripts", "base", "found"),
    [
        ({"Latin": 97, "Cyrillic": 3}, BASE, "Cyrillic (3% of the texts)"),
        ({"Latin": 98, "Cyrillic": 2}, BASE, None),
        ({"Han": 60, "Kana": 40}, "google-bert/bert-base-cased", "Han (60% of the texts), Kana (40% of the texts)"),
        ({"Latin": 50, NO_LETTERS: 50}, BASE, None),
        ({"Hangul": 9}, "bert-base-multilingual-cased", None),
        ({"Hangul": 9}, "klue/bert-base", None),
    ],
)
def test_without_the_vocabulary_an_english_name_says_that_other_scripts_likely_do_not_fit(scripts, base, found):
    counts = {script: TokenCount(texts=texts) for script, texts in scripts.items()}
    expected = (
        None if found is None else f"the vocabulary of {base}, an English one, likely does not fit {found}; {REMEDY}"
    )
    assert likely_note(counts, base) == expected


@pytest.mark.parametrize(
    ("scripts", "found"),
    [
        ({"Latin": (100, 5)}, None),
        ({"Latin": (100, 6)}, "6% of the texts have more than 32 tokens and are cut"),
        (
            {"Latin": (950, 0), "Hangul": (50, 20)},
            "2% of the texts have more than 32 tokens and are cut (Latin 0%, Hangul 40%)",
        ),
        ({"Latin": (990, 0), "Hangul": (10, 9)}, None),
    ],
)
def test_texts_that_are_cut_are_told_by_script(scripts, found):
    counts = {script: TokenCount(texts=texts, cut=cut) for script, (texts, cut) in scripts.items()}
    assert cut_note(counts, 32) == found

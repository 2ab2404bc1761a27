"""What the report says of tokens: notes, and a table of scripts where there is something to say."""

import re

import pytest

from fullbake.components.report.page import render
from tests.components.reports import minimal_with, text_of

LENGTHS = {"max_length": 8, "counts": [0, 0, 0, 9, 0, 0, 0, 0, 0, 0], "truncated": 0, "rows": 9}
LATIN = {"texts": 9, "cut": 0, "tokens": 120, "unknown": 3, "words": 100}
HANGUL = {"texts": 1, "cut": 1, "tokens": 50, "unknown": 2, "words": 10}


def page_with(splits, notes=()):
    return render(minimal_with(lengths=LENGTHS, tokens={"splits": splits, "notes": notes}))


@pytest.mark.parametrize(
    "splits", [{"train": {"Latin": LATIN}}, {"train": {"Latin": LATIN, "no letters": LATIN}, "test": {"Latin": LATIN}}]
)
def test_where_all_texts_are_of_one_script_and_whole_the_page_is_as_without_a_count(splits):
    assert page_with(splits) == render(minimal_with(lengths=LENGTHS))


def test_scripts_are_told_with_what_is_cut_and_unknown_in_all_splits_together():
    page = page_with({"train": {"Latin": LATIN}, "test": {"Latin": LATIN, "Hangul": HANGUL}})
    section = re.search('<section class="card" id="lengths">.*?</section>', page, re.DOTALL).group()
    words = text_of(section)
    assert "Script Texts of all splits Cut Unknown tokens Tokens a word" in words
    assert "Latin 18 0 0% 2.5% 1.2 Hangul 1 1 100% 4% 5.0" in words.replace("0.0%", "0%").replace(".0%", "%")


def test_notes_are_on_the_page():
    note = "the vocabulary of <b> does not fit"
    assert "The vocabulary of &lt;b&gt; does not fit." in page_with({"train": {"Latin": LATIN}}, [note])
    assert "Script" in text_of(page_with({"train": {"Latin": LATIN}}, [note]))

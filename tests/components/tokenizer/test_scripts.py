import pytest

from fullbake.components.tokenizer.script_finder import ScriptFinder
from fullbake.components.tokenizer.scripts import NO_LETTERS

TEXTS = {
    "What a day!": "Latin",
    "Grüße": "Latin",
    "Ｈｅｌｌｏ": "Latin",
    "오늘 점심": "Hangul",
    "война и peace": "Cyrillic",
    "漢字": "Han",
    "これは本です": "Kana",
    "ﾃｽﾄ": "Kana",
    "مرحبا": "Arabic",
    "नमस्ते": "Devanagari",
    "γειά": "Greek",
    "שלום": "Hebrew",
    "สวัสดี": "Thai",
    "12 345, 👍🏽 …": NO_LETTERS,
    "": NO_LETTERS,
    "👍👍👍👍 ok": "Latin",
    "ok\ud800": "Latin",
}


@pytest.mark.parametrize("together", [True, False])
def test_the_script_of_a_text_is_that_of_most_of_its_letters(together):
    finder = ScriptFinder()
    texts = list(TEXTS)
    found = finder.scripts_of(texts) if together else [script for text in texts for script in finder.scripts_of([text])]
    assert dict(zip(texts, found, strict=True)) == TEXTS


def test_of_a_very_long_text_the_start_decides():
    assert ScriptFinder().scripts_of(["я" * (1 << 16) + "a" * (1 << 18), "b"]) == ["Cyrillic", "Latin"]

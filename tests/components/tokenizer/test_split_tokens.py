"""The tokens of a split by script, against Hugging Face's tokenizer."""

from pathlib import Path

import pytest
from transformers import BertTokenizerFast

from fullbake.components.tokenizer.split_tokens import SplitCounter
from fullbake.components.tokenizer.tokenizer_spec import TokenizerSpec
from fullbake.contract.results.tokens import TokenCount
from fullbake.trainer.windows import Windows
from tests.components.parity.folders import minilm_folder
from tests.components.raw_examples import write_examples
from tests.components.tokenizer.languages import SENTENCES

SCRIPTS = {"English": "Latin", "Korean": "Hangul", "Russian": "Cyrillic", "Japanese": "Kana", "emoji": "no letters"}
MAX_LENGTH = 24


def expected_counts(folder: Path, rows: list[tuple[str, tuple[str, ...]]]) -> dict[str, TokenCount]:
    """Counts by Hugging Face's tokenizer; `rows` are scripts and their texts."""
    tokenizer = BertTokenizerFast.from_pretrained(folder)
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    counts: dict[str, list[TokenCount]] = {}
    for script, texts in rows:
        tokens = tokenizer.convert_ids_to_tokens(tokenizer(*texts)["input_ids"])
        inside = [token for token in tokens if token not in ("[CLS]", "[SEP]")]
        counts.setdefault(script, []).append(
            TokenCount(
                texts=1,
                cut=len(tokens) > MAX_LENGTH,
                tokens=len(inside),
                unknown=inside.count("[UNK]"),
                words=sum(not token.startswith("##") for token in inside),
            )
        )
    return {script: TokenCount.sum_of(found) for script, found in counts.items()}


@pytest.mark.parametrize("pairs", [False, True], ids=["texts", "pairs"])
@pytest.mark.parametrize("small", [False, True], ids=["MiniLM", "small vocabulary"])
def test_tokens_are_counted_by_script_as_hugging_face_does(small, pairs, base: Path, tmp_path: Path):
    folder = base if small else minilm_folder()
    second = ("", "the day") if pairs else ()
    rows = [
        (script, (text, *second[number % 2 : number % 2 + 1]))
        for language, script in SCRIPTS.items()
        for number, text in enumerate(SENTENCES[language])
        if not (pairs and script == "no letters")  # with a second text, they have letters
    ]
    write_examples(tmp_path / "split", [("fine", *texts) for _, texts in rows])
    lengths, counted = SplitCounter(TokenizerSpec(str(folder), None, MAX_LENGTH, "head")).count(str(tmp_path / "split"))
    expected = expected_counts(folder, rows)
    assert counted == expected
    assert next(iter(counted)) in ("Hangul", "Cyrillic")  # they have the most texts
    assert lengths.truncated == sum(count.cut for count in counted.values())
    assert small or 0 < expected["Hangul"].cut_share <= 1
    assert expected["Kana"].unknown_share > 0.03


def test_of_every_so_many_rows_one_is_counted(base: Path, tmp_path: Path):
    write_examples(tmp_path / "split", [("fine", "the day")] * 100, shards=3)
    lengths, counted = SplitCounter(TokenizerSpec(str(base), None, 8, "head")).count(str(tmp_path / "split"), step=7)
    assert lengths.rows == counted["Latin"].texts == 15


def test_a_text_that_is_read_in_windows_is_cut_behind_the_last(base: Path, tmp_path: Path):
    windows = Windows(8, 2, 3, "max")  # of six tokens of the text each, a new one after four
    write_examples(tmp_path / "split", [("fine", "day " * count) for count in range(20)])
    spec = TokenizerSpec(str(base), None, 8, "windows", windows=windows)
    lengths, counted = SplitCounter(spec).count(str(tmp_path / "split"))
    assert lengths.max_length == windows.row_length == 2 + 6 + 4 + 4
    assert lengths.counts == (0, 0, *[1] * 15, 5)
    assert lengths.truncated == counted["Latin"].cut == 5
    assert (lengths.window_length, lengths.most_windows, lengths.windowed) == (8, 3, 13)
    assert TokenizerSpec.from_dict(spec.to_dict()) == spec

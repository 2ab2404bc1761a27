"""SentencePiece's precompiled normalisation, and the sets of Unicode that it needs, are what `tokenizers` does."""

from tokenizers.normalizers import Precompiled

from fullbake.components.tokenizer import grapheme_tables
from fullbake.components.tokenizer.charsmap import Charsmap, read_charsmap
from fullbake.components.tokenizer.unicode_tables import code_points
from tests.components.parity.texts import scalar_values
from tests.unigram_models import pack_charsmap


def test_the_packed_map_says_what_was_packed():
    packed = Charsmap(read_charsmap(pack_charsmap({"a": "xyz", "b": "", "cd": "e", "c\u0301": "\u0107"})))
    assert sorted(packed.sizes.tolist()) == [0, 0, 1, 1, 3]
    assert len(packed.pair_keys) == 3


def test_the_tables_of_graphemes_are_what_the_installed_library_does():
    letter, mark, sign, ka = (Precompiled(pack_charsmap({char: "b"})) for char in ("a", "\u0301", "\u00a9", "\u0915"))
    chars = [char for char in scalar_values() if char != "a"]
    found = {
        "EXTENDING": [char for char in chars if letter.normalize_str(f"a{char}") == "b"],
        "PREPENDED": [char for char in chars if not letter.normalize_str(f"{char}a\u0301").endswith("b")],
        "CONTROLS": [char for char in chars if not mark.normalize_str(f"{char}\u0301\u0302").endswith("\u0302")],
        "CONSONANTS": [char for char in chars if ka.normalize_str(f"{char}\u094d\u0915\u0301").endswith("\u0301")],
        "PICTOGRAPHS": [char for char in chars if sign.normalize_str(f"{char}\u200d\u00a9\u0301").endswith("\u0301")],
    }
    # A grapheme of both letters is too long to be looked up; after a prepended character it is too.
    found["LINKERS"] = [
        char
        for char in chars
        if char not in found["PREPENDED"] and ka.normalize_str(f"\u0915{char}\u0915\u0301").endswith("\u0301")
    ]
    for name, those in found.items():
        assert code_points(getattr(grapheme_tables, name)) == [ord(char) for char in those], name

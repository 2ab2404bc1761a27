"""Derives components/tokenizer/byte_level_tables.py from the behaviour of Hugging Face's `tokenizers`.

`python -m tests.components.byte_level_derivation` prints the tables as Python source; a test asserts that the
stored ones are what the installed `tokenizers` does.
"""

from tokenizers import Regex, normalizers, pre_tokenizers

from tests.components.unicode_table_derivation import SCALAR_VALUES, as_ranges, as_source

CLASSES = {"LETTERS": r"\p{L}", "NUMBERS": r"\p{N}", "SPACES": r"\s"}


def derive() -> dict[str, str]:
    """The tables by name: what the engine for regular expressions takes for a match, of every Unicode scalar value."""
    everything = "".join(map(chr, SCALAR_VALUES))
    found = {}
    for name, expression in CLASSES.items():
        left = set(normalizers.Replace(Regex(expression), "").normalize_str(everything))
        found[name] = as_ranges(ord(char) for char in set(everything) - left)
    return found


def kinds_where_text_is_split(codes: list[int]) -> list[str]:
    """What the splitting itself takes each code point for: a table's name, or "" for what is in none."""
    split = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str
    around = {"LETTERS": "a", "NUMBERS": "1", "": "!"}
    kinds = []
    for char in map(chr, codes):
        found = [name for name, same in around.items() if len(split(f"{same}{char}{same}")) == 1]
        kinds.append(found[0] if found else "SPACES")
    return kinds


if __name__ == "__main__":
    print(as_source(derive()), end="")

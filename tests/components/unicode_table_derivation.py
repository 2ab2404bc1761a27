"""Derives components/tokenizer/unicode_tables.py from the behaviour of Hugging Face's `tokenizers`, one character at a
time.

`python -m tests.components.unicode_table_derivation` prints the tables as Python source; a test asserts that the stored
ones are what the installed `tokenizers` does. Nothing is read from its source: each normaliser is asked about every
Unicode scalar value on its own, between two letters where that tells removal from replacement.
"""

from collections.abc import Iterable

from tokenizers import normalizers, pre_tokenizers

SCALAR_VALUES = [code for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]


def bert_normalizer(**switched_on: bool) -> normalizers.BertNormalizer:
    """A BertNormalizer with only the named steps switched on."""
    steps = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False}
    return normalizers.BertNormalizer(**{**steps, **switched_on})


def as_ranges(codes: Iterable[int]) -> str:
    """Code points as text: "9-a d 20" for {9, 10, 13, 32}."""
    runs: list[list[int]] = []
    for code in sorted(codes):
        if runs and runs[-1][1] == code - 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return " ".join(f"{first:x}" if first == last else f"{first:x}-{last:x}" for first, last in runs)


def as_shifts(mapping: dict[int, int]) -> str:
    """A map of code points as runs of equal distance: "41-5a+20 100-12e/2+1"."""
    runs: list[list[int]] = []  # first, last, step (0 while only one is known), distance
    for code, image in sorted(mapping.items()):
        step, distance = code - (runs[-1][1] if runs else -9), image - code
        if runs and runs[-1][3] == distance and step <= 2 and runs[-1][2] in (0, step):
            runs[-1][1:3] = [code, step]
        else:
            runs.append([code, code, 0, distance])
    texts = []
    for first, last, step, distance in runs:
        span = f"{first:x}" if first == last else f"{first:x}-{last:x}" + ("/2" if step == 2 else "")
        texts.append(f"{span}{'+' if distance > 0 else '-'}{abs(distance):x}")
    return " ".join(texts)


def derive() -> dict[str, str]:
    """The tables by name, as components/tokenizer/unicode_tables.py stores them. Takes about ten seconds."""
    clean, chinese = bert_normalizer(clean_text=True), bert_normalizer(handle_chinese_chars=True)
    accents, lower = bert_normalizer(strip_accents=True), bert_normalizer(lowercase=True)
    decompose, words = normalizers.NFD(), pre_tokenizers.BertPreTokenizer()
    found: dict[str, set[int]] = {
        name: set()
        for name in ("REMOVED", "CHINESE", "DECOMPOSED", "REORDERED", "NONSPACING", "WHITESPACE", "PUNCTUATION")
    }
    lowered: dict[int, int] = {}
    for code in SCALAR_VALUES:
        char = chr(code)
        inside = f"a{char}b"
        if clean.normalize_str(inside) == "ab":
            found["REMOVED"].add(code)
        if chinese.normalize_str(inside) == f"a {char} b":
            found["CHINESE"].add(code)
        if decompose.normalize_str(char) != char:
            found["DECOMPOSED"].add(code)
        else:
            # U+0345 has the highest canonical combining class (240), U+0334 the lowest (1): whatever has one at all
            # changes places with one of them.
            behind, before = f"a\u0345{char}", f"a{char}\u0334"
            if decompose.normalize_str(behind) != behind or decompose.normalize_str(before) != before:
                found["REORDERED"].add(code)
            if accents.normalize_str(inside) == "ab":
                found["NONSPACING"].add(code)
        pieces = [piece for piece, _ in words.pre_tokenize_str(inside)]
        if pieces == ["a", "b"]:
            found["WHITESPACE"].add(code)
        elif pieces == ["a", char, "b"]:
            found["PUNCTUATION"].add(code)
        small = lower.normalize_str(char)
        if len(small) == 1 and small != char:
            lowered[code] = ord(small)
        elif len(small) > 1 and (code, small) != (0x130, "i\u0307"):
            raise AssertionError(f"U+{code:04X} has a second lower-case mapping to several characters: {small!r}")
    return {name: as_ranges(codes) for name, codes in found.items()} | {"LOWERCASE": as_shifts(lowered)}


def as_source(tables: dict[str, str], width: int = 110) -> str:
    """The tables as the assignments of components/tokenizer/unicode_tables.py."""
    parts = []
    for name, text in tables.items():
        lines = [""]
        for word in text.split(" "):
            if len(lines[-1]) + len(word) > width:
                lines.append("")
            lines[-1] += word + " "
        lines[-1] = lines[-1].rstrip()
        parts.append(f"{name} = (\n" + "".join(f'    "{line}"\n' for line in lines) + ")\n")
    return "\n".join(parts)


if __name__ == "__main__":
    print(as_source(derive()), end="")

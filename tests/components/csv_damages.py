"""What happens to CSV files."""

import gzip
import random
import re
from collections.abc import Callable

PIECES = [
    "so kind",
    "naïve",
    "“curly”",
    "日本語",
    "🙂",
    '"',
    '""',
    ",",
    "\t",
    ";",
    "\n",
    "\r\n",
    " ",
    "&amp;",
    "=1+1",
    "x" * 50,
]
PIECES += ["\0", "\u200b", "\ufeff", "\\", '\\"', "'", "\u2028", "\x1a", "good", "1"]


def at(text: str, chosen: random.Random) -> int:
    return chosen.randrange(len(text) + 1)


def insert(text: str, chosen: random.Random) -> str:
    place = at(text, chosen)
    return text[:place] + chosen.choice(PIECES) + text[place:]


def insert_quote_at_a_field(text: str, chosen: random.Random) -> str:
    places = [match.end() for match in re.finditer(r"[\n\t,;|]", text)] or [0]
    place = chosen.choice(places)
    return text[:place] + '"' + text[place:]


def insert_quote_before_a_delimiter(text: str, chosen: random.Random) -> str:
    places = [match.start() for match in re.finditer(r"[\n\t,;|]", text)] or [0]
    place = chosen.choice(places)
    return text[:place] + '"' + text[place:]


def delete(text: str, chosen: random.Random) -> str:
    place = at(text, chosen)
    return text[:place] + text[place + chosen.choice([1, 1, 3, 30]) :]


def repeat(text: str, chosen: random.Random) -> str:
    first, last = sorted((at(text, chosen), at(text, chosen)))
    return text[:last] + text[first:last] + text[last:]


def cut(text: str, chosen: random.Random) -> str:
    return text[: at(text, chosen)]


def behead(text: str, chosen: random.Random) -> str:
    return text.partition("\n")[2]


def swap_lines(text: str, chosen: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    chosen.shuffle(lines)
    return "".join(lines)


def other_delimiter(text: str, chosen: random.Random) -> str:
    return text.replace(chosen.choice(",\t;|"), chosen.choice(",\t;|"), chosen.choice([1, -1]))


def other_line_ends(text: str, chosen: random.Random) -> str:
    return text.replace("\n", chosen.choice(["\r", "\r\n", "\n\n", " \n"]))


def long_field(text: str, chosen: random.Random) -> str:
    place = at(text, chosen)
    return text[:place] + chosen.choice(["x", "so ", '"', "a,", "é"]) * 60_000 + text[place:]


def many_fields(text: str, chosen: random.Random) -> str:
    place = at(text, chosen)
    return text[:place] + chosen.choice(",\t;|\n") * 10_000 + text[place:]


def flip(content: bytes, chosen: random.Random) -> bytes:
    if not content:
        return content
    place = chosen.randrange(len(content))
    return content[:place] + bytes([chosen.randrange(256)]) + content[place + 1 :]


def insert_bytes(content: bytes, chosen: random.Random) -> bytes:
    place = chosen.randrange(len(content) + 1)
    return (
        content[:place] + chosen.choice([b"\0", b"\xff\xfe", b"\x80", b'"', b"\xed\xa0\x80", b"\r"]) + content[place:]
    )


def cut_bytes(content: bytes, chosen: random.Random) -> bytes:
    return content[: chosen.randrange(len(content) + 1)]


def behead_bytes(content: bytes, chosen: random.Random) -> bytes:
    return content[chosen.choice([1, 2, 3, 4]) :]


def compress(content: bytes, chosen: random.Random) -> bytes:
    return gzip.compress(content, 1)


def noise(content: bytes, chosen: random.Random) -> bytes:
    return content + chosen.randbytes(200)


TEXT_DAMAGES_OF_QUOTES = [insert_quote_at_a_field, insert_quote_before_a_delimiter]
DAMAGES: list[Callable[[str, random.Random], str]] = [
    *TEXT_DAMAGES_OF_QUOTES * 3,
    *(insert, delete, repeat, cut, behead, swap_lines, other_delimiter, other_line_ends, long_field, many_fields),
]
BYTE_DAMAGES: list[Callable[[bytes, random.Random], bytes]] = [
    *(flip, flip, insert_bytes, cut_bytes, behead_bytes, compress, noise)
]

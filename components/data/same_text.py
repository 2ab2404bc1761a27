"""When two texts count as the same: for the split, and for finding rows that repeat or contradict each other."""

import hashlib
import html
import re
import unicodedata

from fullbake.components.tokenizer import unicode_tables


def _any_of(*tables: str) -> re.Pattern[str]:
    ranges = " ".join(tables).split()
    return re.compile(
        "[" + "".join("-".join(rf"\U{int(end, 16):08x}" for end in run.split("-")) for run in ranges) + "]+"
    )


_REMOVED = _any_of(unicode_tables.REMOVED)
_NONSPACING = _any_of(unicode_tables.NONSPACING)
_NON_ASCII = re.compile(r"[^\x00-\x7f]+")
# Curly quotes, and capitals that are newer than this Python's Unicode (3.10 has 13.0, `tokenizers` 16.0).
_STRAIGHT = str.maketrans("\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f", "''''\"\"\"\"")
_NEWER = {code: small for code, small in unicode_tables.lowercase_map().items() if chr(code) == chr(code).casefold()}
_REPLACED = _STRAIGHT | _NEWER

_NO_SPACE = {code: None for code in range(0x3001) if chr(code).isspace()}

# Beyond so many characters white space counts in `row_digest_of`: to split such a text takes ten times its memory.
_LONG = 2**20

# With its semicolon, and no longer than HTML's longest name: what is sure to be one.
_ENTITY = re.compile(r"&(#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});")


def digest_of(text: str) -> bytes:
    r"""Returns eight bytes that a text shares with its trivial copies and, almost surely, no other: for the split.

    Copies are all that some tokenizer of BERT's kind takes for equal, and a little more: without control and format
    characters (U+0000, byte-order mark, soft hyphen, zero-width space), accents, case, white space (which does not
    count around punctuation), in Unicode's NFKD form, with HTML's entities as the characters they stand for and curly
    quotes straight. That "no table" and "notable" fall together does no harm: they are on one side of the split.

    Example:
        >>> digest_of("Caf\u00e9 &amp; \u201cbar\u201d") == digest_of('CAFE\u200b  & "bar"')
        True
    """
    folded = _ENTITY.sub(lambda entity: html.unescape(entity.group()), _folded(text))
    return _hash(_folded(folded).translate(_NO_SPACE))


def row_digest_of(text: str, text_pair: str | None) -> bytes:
    """Returns eight bytes that rows with the same text (and second text) share: for what repeats or contradicts.

    The same to every tokenizer of BERT's kind, cased or not: but for control and format characters, and for how much
    white space there is. Anything else may be the difference between two labels.
    """
    texts = (text,) if text_pair is None else (text, text_pair)
    cleaned = map(_without_removed, texts)
    return _hash("\0".join(" ".join(part.split()) if len(part) <= _LONG else part for part in cleaned))


def _folded(text: str) -> str:
    """Returns a form that is the same for all texts of which BERT's normaliser makes the same."""
    text = _without_removed(text).lower()
    return text if text.isascii() else _NON_ASCII.sub(_fold_run, text)


def _fold_run(run: re.Match[str]) -> str:
    text = unicodedata.normalize("NFKD", run.group().translate(_REPLACED))
    # Folding may compose anew, and what it composes may hold what is not to stay.
    text = unicodedata.normalize("NFKD", _NONSPACING.sub("", text).casefold())
    return _NONSPACING.sub("", text)


def _without_removed(text: str) -> str:
    # Most texts are printable, which is known sooner; of what is removed U+FFFD alone is that too.
    return text if text.isprintable() and "\ufffd" not in text else _REMOVED.sub("", text)


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8).digest()

import html
import random

import pytest
from tokenizers.normalizers import BertNormalizer

from fullbake.components.data.same_text import digest_of, row_digest_of
from fullbake.components.tokenizer import unicode_tables

TABLES = (unicode_tables.REMOVED, unicode_tables.DECOMPOSED, unicode_tables.REORDERED, unicode_tables.NONSPACING)


@pytest.mark.parametrize(
    "copy",
    [
        "DÉJÀ VU, “THE” WORKS & MORE: IT'S",
        "  déjà\tvu ,\n\n“the”   works & more : it's ",
        "de\u0301ja\u0300 vu, “the” works & more: it's",
        "deja vu, “the” works & more: it's",
        'déjà vu, "the" works & more: it\u2019s',
        "d\u00adéj\u200bà\ufeff vu\0, “the” works & more: it\u2060's",
        "d&eacute;j&agrave; vu, &ldquo;the&#8221; works &amp; more: it&#x27;s",
        "&#68;&Eacute;JÀ vu, &quot;the&quot; works &AMP; more: it&apos;s",
        "ｄéjà vu, “the” works & more: it's",
    ],
)
def test_a_text_and_its_trivial_copies_have_one_digest(copy):
    assert digest_of(copy) == digest_of("déjà vu, “the” works & more: it's")


@pytest.mark.parametrize(
    "other", ["déjà vu", "déjà vu, the works & more: it's", "déjà vu, “the” works & more: its", "déjà vu, “the” works"]
)
def test_other_texts_have_other_digests(other):
    assert digest_of(other) != digest_of("déjà vu, “the” works & more: it's")


def test_what_looks_like_an_entity_and_is_none_stays():
    assert len({digest_of(text) for text in ("&nothing;", "nothing", "&#99999999;", "&amp", "&", "a&b;c")}) == 6
    assert digest_of("&#" + "1" * 100_000 + ";") != digest_of("&#;")  # Python refuses to read so long a number
    assert digest_of("&" + "amp;" * 100_000) != digest_of("&")  # nor is it unescaped again and again


def test_texts_that_berts_normaliser_makes_equal_have_one_digest():
    normalize = BertNormalizer(lowercase=True).normalize_str
    codes = {code for table in TABLES for code in unicode_tables.code_points(table) if not 0xE000 <= code < 0xF900}
    codes |= {*range(0x3000), *unicode_tables.lowercase_map(), *range(0x4E00, 0x4E10)}
    for code in sorted(codes - set(range(0xF0000, 0x110000))):
        text = f"a{chr(code)}b"
        assert digest_of(text) == digest_of(normalize(text)), hex(code)
    chosen = random.Random(2)  # noqa: S311
    alphabet = [chr(code) for code in chosen.sample(sorted(codes), 3000)] + [*" .,&;'“ab"] * 100
    for _ in range(3000):
        text = "".join(chosen.choices(alphabet, k=12))
        assert digest_of(text) == digest_of(normalize(text)), ascii(text)
        assert digest_of(text) == digest_of(html.escape(text)), ascii(text)


def test_rows_are_equal_only_where_no_tokenizer_of_berts_kind_can_tell_them_apart():
    assert row_digest_of("so\t kind ", None) == row_digest_of("so kind", None) == row_digest_of("s\u200bo\0 kind", None)
    texts = [
        "so kind",
        "So kind",
        "so kind!",
        "so  kïnd",
        "sokind",
        "so &amp; kind",
        "so & kind",
        "so “kind”",
        'so "kind"',
    ]
    assert len({row_digest_of(text, None) for text in texts}) == len(texts)
    pairs = [("a", "b"), ("b", "a"), ("a b", ""), ("", "a b"), ("a", "b c"), ("a b", "c")]
    assert len({row_digest_of(*pair) for pair in pairs} | {row_digest_of("a b", None)}) == len(pairs) + 1

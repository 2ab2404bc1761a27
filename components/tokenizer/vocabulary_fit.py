"""Judges whether a vocabulary fits texts, and says so for people."""

from __future__ import annotations

from collections.abc import Mapping

from fullbake.components.tokenizer.scripts import LATIN, NO_LETTERS, WITHOUT_SPACES
from fullbake.contract.results.tokens import TokenCount
from fullbake.trainer.encoder.families import MULTILINGUAL_NAMES, is_english

MOST_UNKNOWN = 0.03
"""The share of unknown tokens from which on it is told. Under an English vocabulary it is 57% of Chinese, 13% of
Japanese, 3% of Hindi and Korean (which are spelled out besides), 0.7% of English tweets with emoji, and next to none
of other English."""

MOST_PIECES = 2.5
"""Tokens to a word, likewise: words are spelled letter by letter. An English vocabulary takes 3.0 to 4.1 for Russian,
Ukrainian, Greek, Arabic, Hebrew, Hindi, Bengali and Korean, 1.5 to 2.2 for twelve languages in Latin letters, and 1.0
to 1.3 for English."""

MOST_CUT = 0.05
"""The share of cut texts, likewise. `init` chooses a length that fits 99%."""

LEAST_TEXTS = 0.03
"""The share of the texts from which on a script is judged by itself: the few of a rarer one decide little."""


def vocabulary_note(scripts: Mapping[str, TokenCount], base: str) -> str | None:
    """Returns what people should know of a vocabulary that does not fit, without its stop; None where it fits.

    Args:
        scripts: By script, the tokens of the texts, as counted.
        base: What the base model is called.

    Example:
        >>> vocabulary_note({"Hangul": TokenCount(texts=9, tokens=50, words=10, unknown=1)}, "bert-base-cased")
        'the vocabulary of bert-base-cased does not fit: Hangul texts take 5.0 tokens a word; a multilingual base fits \
them better, such as bert-base-multilingual-cased, distilbert-base-multilingual-cased or xlm-roberta-base'
    """
    found = [
        misfit
        for script, count in _frequent(scripts).items()
        if script != NO_LETTERS and (misfit := _misfit(script, count)) is not None
    ]
    whole = TokenCount.sum_of(scripts.values())
    if not found and whole.unknown_share <= MOST_UNKNOWN:
        return None
    remedy = _remedy(base)
    if all(script in (LATIN, NO_LETTERS) for script in _frequent(scripts)) and whole.unknown_share > MOST_UNKNOWN:
        remedy = (
            f"if that is for the language, {remedy}; if it is emoji and signs, write them as words where they matter"
        )
    unfit = "; ".join(found) or f"{whole.unknown_share:.0%} of the tokens are unknown"
    return f"the vocabulary of {base} does not fit: {unfit}; {remedy}"


def _misfit(script: str, count: TokenCount) -> str | None:
    unknown = f"{count.unknown_share:.0%} of " if count.unknown_share > MOST_UNKNOWN else ""
    if script not in WITHOUT_SPACES and count.tokens_per_word > MOST_PIECES:
        spelled = f"{script} texts take {count.tokens_per_word:.1f} tokens a word"
        return f"{spelled}, and {unknown}them are unknown" if unknown else spelled
    return f"{unknown}the tokens of {script} texts are unknown" if unknown else None


def likely_note(scripts: Mapping[str, TokenCount], base: str) -> str | None:
    """Returns the same where the vocabulary is not at hand: English bases know Latin letters alone.

    Args:
        scripts: By script, how many texts there are.
        base: The base model's name.
    """
    foreign = [script for script in _frequent(scripts) if script not in (LATIN, NO_LETTERS)]
    if not foreign or not is_english(base):
        return None
    texts = TokenCount.sum_of(scripts.values()).texts
    found = ", ".join(f"{script} ({scripts[script].texts / texts:.0%} of the texts)" for script in foreign)
    return f"the vocabulary of {base}, an English one, likely does not fit {found}; {_remedy(base)}"


def cut_note(scripts: Mapping[str, TokenCount], max_length: int) -> str | None:
    """Returns what people should know of texts that are cut, without its stop; None where few are.

    Args:
        scripts: By script, the tokens of the texts.
        max_length: How many tokens the model reads, in all windows of a text.
    """
    whole, frequent = TokenCount.sum_of(scripts.values()), _frequent(scripts)
    if whole.cut_share <= MOST_CUT and all(count.cut_share <= MOST_CUT for count in frequent.values()):
        return None
    named = ", ".join(f"{script} {count.cut_share:.0%}" for script, count in frequent.items())
    by_script = f" ({named})" if len(frequent) > 1 else ""
    return f"{whole.cut_share:.0%} of the texts have more than {max_length:,} tokens and are cut{by_script}"


def _frequent(scripts: Mapping[str, TokenCount]) -> dict[str, TokenCount]:
    texts = TokenCount.sum_of(scripts.values()).texts
    return {script: count for script, count in scripts.items() if count.texts >= LEAST_TEXTS * texts}


def _remedy(base: str) -> str:
    if "multilingual" in base.lower():
        return "a base made for their language fits them better"
    *others, last = MULTILINGUAL_NAMES
    return f"a multilingual base fits them better, such as {', '.join(others)} or {last}"

"""How well the base's vocabulary fits the texts: a part of `report.json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fullbake.contract.results.result import Result


class TokenCount(Result):
    """The tokens of some texts, special tokens not counted.

    Attributes:
        texts: How many texts there are; a pair is one.
        cut: How many have more tokens than the model reads.
        tokens: Their tokens, before any cut; of a text of more than 64 KiB perhaps those of its start alone.
        unknown: Those of these that stand for a word that the vocabulary cannot spell.
        words: Those that begin a word; punctuation marks and Chinese characters are words.
    """

    texts: int = 0
    cut: int = 0
    tokens: int = 0
    unknown: int = 0
    words: int = 0

    @classmethod
    def sum_of(cls, counts: Iterable[TokenCount]) -> TokenCount:
        """Returns the count of several lots of texts together."""
        rows = [(count.texts, count.cut, count.tokens, count.unknown, count.words) for count in counts]
        return cls(**dict(zip(cls.model_fields, map(sum, zip(*rows, strict=True)), strict=True))) if rows else cls()

    @property
    def cut_share(self) -> float:
        """The share of the texts that are cut."""
        return self.cut / self.texts if self.texts else 0.0

    @property
    def unknown_share(self) -> float:
        """The share of the tokens that are unknown."""
        return self.unknown / self.tokens if self.tokens else 0.0

    @property
    def tokens_per_word(self) -> float:
        """How many tokens a word has."""
        return self.tokens / self.words if self.words else 0.0

    def shares(self) -> dict[str, float]:
        """Returns how many texts there are, and the shares, for `--summary`."""
        shares = ("cut_share", "unknown_share", "tokens_per_word")
        return {"texts": self.texts, **{name: round(getattr(self, name), 6) for name in shares}}


class Tokens(Result):
    """The tokens of all texts.

    Attributes:
        splits: By split and by the script of the texts, such as Latin (see `components.tokenizer.scripts`).
        notes: What people should know of them, a sentence each, without its stop.
    """

    splits: dict[str, dict[str, TokenCount]]
    notes: tuple[str, ...] = ()

    @property
    def scripts(self) -> dict[str, TokenCount]:
        """The count of all splits by script, the most frequent one first."""
        return merge_scripts(self.splits.values())

    def summary(self) -> dict[str, Any]:
        """Returns what `--summary` has of it: by split its shares, overall and by script, and the notes."""
        splits = {
            split: {
                **TokenCount.sum_of(scripts.values()).shares(),
                "scripts": {script: count.shares() for script, count in scripts.items()},
            }
            for split, scripts in self.splits.items()
        }
        return {"splits": splits, "notes": list(self.notes)}


def merge_scripts(parts: Iterable[Mapping[str, TokenCount]]) -> dict[str, TokenCount]:
    """Returns the sum of several counts by script, the script of the most texts first."""
    parts = list(parts)
    scripts = dict.fromkeys(script for part in parts for script in part)
    merged = {script: TokenCount.sum_of(part[script] for part in parts if script in part) for script in scripts}
    return dict(sorted(merged.items(), key=lambda item: (-item[1].texts, item[0])))

"""How many tokens the texts of data files have, and how well a base's vocabulary fits them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from fullbake.contract.results.tokens import TokenCount, merge_scripts
from fullbake.trainer.encoder.base_model import base_sizes, find_tokenizer

if TYPE_CHECKING:
    import numpy as np

    from fullbake.components.tokenizer.script_finder import ScriptFinder

POSITIONS = 512
"""The positions that BERT and DistilBERT have (Devlin et al. 2018)."""

_BATCH_ROWS, _BATCH_CHARACTERS = 4096, 1 << 20  # counted at once: they take some 50 MB


class Counts(Protocol):
    """Counts tokens, as `TokenCounter` or `TokenEstimate` does."""

    exact: bool
    separators: int

    def count(self, texts: list[str]) -> np.ndarray:
        """Returns tokens, unknown ones and words of each text, int64 [N, 3]."""


@dataclass(frozen=True)
class InitialBase:
    """The base model that a first config names.

    Attributes:
        name: What it is called there.
        counter: Counts tokens with its tokenizer, or estimates them where that is not on this machine.
        positions: The longest text that it reads, in tokens.
    """

    name: str
    counter: Counts
    positions: int


def find_initial_base(name: str) -> InitialBase:
    """Finds a base model and its tokenizer on this machine; nothing is fetched.

    Args:
        name: As `resolve_base` takes it.

    Raises:
        InputError: It is named as a folder or a package and is not there, or it cannot be used.
    """
    # Here, for no error about a file should wait for NumPy and the tokenizers.
    from fullbake.components.tokenizer.token_counter import TokenCounter
    from fullbake.components.tokenizer.token_estimate import TokenEstimate
    from fullbake.components.tokenizer.tokenizer_check import read_any_tokenizer

    folder = find_tokenizer(name)
    if folder is None:
        return InitialBase(name, TokenEstimate(name), POSITIONS)
    return InitialBase(name, TokenCounter(read_any_tokenizer(folder)), base_sizes(folder)["longest"])


def _script_finder() -> ScriptFinder:
    from fullbake.components.tokenizer.script_finder import ScriptFinder  # here, for it takes NumPy

    return ScriptFinder()


@dataclass
class TokenSurvey:
    """The tokens of texts that come one by one; call `finish` after the last.

    Attributes:
        counter: Counts them.
        lengths: By script, tokens of a text or a pair, special tokens included -> texts.
    """

    counter: Counts
    lengths: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    _counts: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _rows: list[tuple[str, ...]] = field(default_factory=list)
    _characters: int = 0
    _scripts: ScriptFinder = field(default_factory=_script_finder)

    def add(self, text: str, text_pair: str | None) -> None:
        """Adds a text or a pair."""
        self._rows.append((text,) if text_pair is None else (text, text_pair))
        self._characters += len(text) + len(text_pair or "")
        if len(self._rows) >= _BATCH_ROWS or self._characters >= _BATCH_CHARACTERS:
            self.finish()

    def finish(self) -> None:
        """Counts what is not counted yet."""
        rows = self._rows
        self._rows, self._characters = [], 0
        if not rows:
            return
        scripts = self._scripts.scripts_of(["".join(row) for row in rows])
        first, *second = (self.counter.count([row[place] for row in rows]) for place in range(len(rows[0])))
        counts = sum(second, first).tolist()
        for script, row, (tokens, unknown, words) in zip(scripts, rows, counts, strict=True):
            special = 2 + self.counter.separators * (len(row) - 1)  # [CLS], [SEP], and what is between two texts
            self.lengths[script][special + tokens] += 1
            found = self._counts[script]
            found["tokens"] += tokens
            found["unknown"] += unknown
            found["words"] += words

    @property
    def all_lengths(self) -> Counter[int]:
        """Tokens of a text or a pair -> texts."""
        return sum(self.lengths.values(), Counter())

    def scripts(self, max_length: int) -> dict[str, TokenCount]:
        """Returns the tokens by script, the script of the most texts first.

        Args:
            max_length: Texts of more tokens are cut.
        """
        found = {
            script: TokenCount(
                texts=lengths.total(),
                cut=sum(rows for length, rows in lengths.items() if length > max_length),
                **self._counts[script],
            )
            for script, lengths in self.lengths.items()
        }
        return merge_scripts([found])

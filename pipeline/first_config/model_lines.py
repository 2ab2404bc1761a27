"""The lines of a first config about the base model and the length of the texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from fullbake.components.tokenizer.vocabulary_fit import cut_note, likely_note, vocabulary_note
from fullbake.pipeline.first_config.yaml_text import scalar
from fullbake.pipeline.token_survey import InitialBase, TokenSurvey

DEFAULT_BASE = "distilbert-base-uncased"
"""The base that a first config names, unless another is asked for: two fifths smaller than BERT (Sanh et al. 2019)."""

DEFAULT_APPROACH = "fine_tune"
"""The approach likewise."""

COVERED = 0.99
"""The share of texts that must fit whole: doubling the length more than doubles the work, for the few longest."""

_LENGTH_STEP = 16  # lengths that are a multiple of it suit the matrix units of GPUs


@dataclass(frozen=True)
class FirstModel:
    """What a first config says of the model.

    Attributes:
        base: The base model.
        approach: How it is trained.
        tokens: The tokens of the texts.
    """

    base: InitialBase
    approach: str
    tokens: TokenSurvey


def model_lines(model: FirstModel) -> Iterator[str]:
    """Yields the section `model`."""
    base, lengths = model.base, model.tokens.all_lengths
    fitting = _percentile(lengths, COVERED)
    max_length = min(base.positions, -(-fitting // _LENGTH_STEP) * _LENGTH_STEP)
    scripts = model.tokens.scripts(max_length)
    judge = vocabulary_note if base.counter.exact else likely_note
    counted = (
        f"counted with {base.name}'s tokenizer"
        if base.counter.exact
        else f"estimated: {base.name}'s tokenizer is not on this machine"
    )
    yield "model:"
    yield from (f"  # {note}" for note in (judge(scripts, base.name), cut_note(scripts, max_length)) if note)
    yield f"  base: {scalar(base.name)}"
    yield f"  approach: {model.approach}"
    yield (
        f"  max_length: {max_length}  # tokens, {counted}; {COVERED:.0%} of the texts have {fitting:,} or fewer, "
        f"half have {_percentile(lengths, 0.5):,}, the longest has {max(lengths):,}"
    )
    if max_length < fitting:
        yield "  # truncation: windows would read longer texts whole, window by window; head_tail, their two ends"


def _percentile(lengths: Counter[int], part: float) -> int:
    """Returns the least length that this part of the rows does not exceed."""
    rows = 0
    for length in sorted(lengths):
        rows += lengths[length]
        if rows >= part * lengths.total():
            break
    return length

"""How far training moved the encoder, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from fullbake.components.report.numbers import percent

# MiniLM-L6 on 1,600 questions to a bank (Banking77), 300 steps: rates of 2e-4 and 1e-3 moved its layers by at most 6%
# and 16%, and it learned; 2e-3 and 5e-3 moved them by up to 28% and 42%, and it could only guess.
FAR_SHIFT = 0.15
LOST_SHIFT = 0.25
FULL_SHIFT = 0.5  # where its bar ends


class ShiftLine(NamedTuple):
    """How far a part of the encoder moved, in words; `look` is "kept", "far" or "lost"."""

    part: str
    moved: float
    look: str


def shift_lines(shift: Mapping[str, float]) -> list[ShiftLine]:
    """Returns how far the embeddings and each layer moved, in the given order.

    The pooler is left out: it belongs to the head more than to the encoder, and moves far where nothing is wrong.
    """
    return [
        ShiftLine(part, moved, "kept" if moved < FAR_SHIFT else "far" if moved < LOST_SHIFT else "lost")
        for part, moved in shift.items()
        if part != "pooler"
    ]


def shift_sentence(shift: Mapping[str, float], key: str) -> str:
    """Returns what the shift means; `key` names the learning rate in the config."""
    most = max(shift_lines(shift), key=lambda line: line.moved)
    where = f"the part that moved most, {most.part}, is {percent(most.moved)} of its own size away from its start"
    if most.look == "lost":
        return f"Little is probably left of what pre-training taught: {where}. Lower {key}."
    if most.look == "far":
        return f"Some of what pre-training taught may be lost: {where}. A lower {key} keeps more."
    return f"What pre-training taught is kept: {where}."


class Shift(NamedTuple):
    """What the template `encoder_shift.html` shows."""

    lines: list[ShiftLine]
    sentence: str
    lost: bool  # whether little is probably left
    lost_from: float
    full: float


def shift_of(encoder_shift: Mapping[str, float], key: str) -> Shift | None:
    """Returns what is shown of a shift; None where the encoder was not trained.

    Args:
        encoder_shift: By part of the encoder, how far it moved.
        key: Names the learning rate in the config.
    """
    if not encoder_shift:
        return None
    lines = shift_lines(encoder_shift)
    lost = any(line.look == "lost" for line in lines)
    return Shift(lines, shift_sentence(encoder_shift, key), lost, LOST_SHIFT, FULL_SHIFT)

"""The ways to finish a pre-trained encoder, one row each: what trains, under which head, how fast."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Sun et al. 2019, section 5.3.4: at 4e-4 BERT-base fails to converge; what pre-training taught is lost.
FORGETTING_RATE = 4e-4


@dataclass(frozen=True)
class Approach:
    """One way to fine-tune.

    Attributes:
      name: what a config calls it.
      head: the head it uses unless the config names another; a key of ``trainer.heads.HEADS``.
      learning_rate: the peak rate unless the config gives another.
      trains: pairs of a pattern and whether the variables it matches are trained. A variable's path starts with
        ``encoder/`` or ``head/``; the first pattern that matches the whole path decides; each variable must match one.
    """

    name: str
    head: str
    learning_rate: float
    trains: tuple[tuple[str, bool], ...]

    def is_trained(self, path: str) -> bool:
        """Whether the variable at this path is trained.

        Raises:
          LookupError: no pattern of the table matches the path.
        """
        for pattern, trained in self.trains:
            if re.fullmatch(pattern, path):
                return trained
        raise LookupError(f"approach {self.name!r} says nothing about the variable {path!r}")

    @property
    def base_is_trainable(self) -> bool:
        """Whether any rule trains the encoder."""
        return any(trained and re.match(pattern, "encoder/") for pattern, trained in self.trains)


APPROACHES: dict[str, Approach] = {
    row.name: row
    for row in (
        Approach("fine_tune", head="hf", learning_rate=5e-5, trains=((r"encoder/.*", True), (r"head/.*", True))),
        Approach("frozen", head="mlp", learning_rate=1e-2, trains=((r"encoder/.*", False), (r"head/.*", True))),
    )
}


def forgetting_warning(approach: Approach, learning_rate: float) -> str | None:
    """A sentence for people when the rate endangers what the base has learned, else None."""
    if not approach.base_is_trainable or learning_rate < FORGETTING_RATE:
        return None
    return (
        f"training.learning_rate: {learning_rate:g} on a trainable base risks catastrophic forgetting: rates of "
        f"{FORGETTING_RATE:g} and above destroy what pre-training learned (Sun et al. 2019); use 5e-5 to 2e-5"
    )

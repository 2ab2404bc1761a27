"""The ways to finish a pre-trained encoder, one row each: what trains, under which head, how fast."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

# Sun et al. 2019, section 5.3.4: at 4e-4 BERT-base fails to converge; what pre-training taught is lost. Small encoders
# stand more: MiniLM trains well up to about 3e-4.
FORGETTING_RATE = 4e-4


@dataclass(frozen=True)
class Trains:
    """Which variables are trained.

    Attributes:
        rules: Pairs of a pattern and whether the variables it matches are trained. A variable's path starts with
            `encoder/` or `head/`; the first pattern that matches the whole path decides; each variable must match one.
        encoder: What the rules come to for the encoder: its `weights` are trained, its `adapters` only, or `nothing` of
            it. It is stated here because a config is checked before there are variables; in training the variables
            decide.
        words: What that is called for people.
    """

    rules: tuple[tuple[str, bool], ...]
    encoder: Literal["weights", "adapters", "nothing"]
    words: str

    def includes(self, path: str) -> bool:
        """Whether the variable at this path is trained.

        Raises:
            LookupError: No pattern matches the path.
        """
        for pattern, trained in self.rules:
            if re.fullmatch(pattern, path):
                return trained
        raise LookupError(f"the approach says nothing about the variable {path!r}")


EVERYTHING = Trains(((r"encoder/.*", True), (r"head/.*", True)), encoder="weights", words="trains base and head")
HEAD_ONLY = Trains(
    ((r"encoder/.*", False), (r"head/.*", True)), encoder="nothing", words="trains the head alone, the base frozen"
)
ADAPTERS = Trains(
    ((r"encoder/.*/lora_[ab]", True), (r"encoder/.*", False), (r"head/.*", True)),
    encoder="adapters",
    words="trains low-rank adapters and head, the base frozen",
)


@dataclass(frozen=True)
class Adapters:
    """Low-rank adapters of an encoder (see `trainer.encoder.low_rank`).

    Attributes:
        rank: Rows of `B` and columns of `A`: how many directions each projection can learn.
        alpha: The update is multiplied by this over the rank.
        dropout: Part of an adapter's inputs that is dropped in training.
    """

    rank: int
    alpha: float
    dropout: float

    @property
    def scale(self) -> float:
        """What an update is multiplied by."""
        return self.alpha / self.rank


@dataclass(frozen=True)
class Phase:
    """A stretch of training with an optimiser and a schedule of its own.

    Attributes:
        trains: What is trained.
        learning_rate: The peak rate; in an approach's last phase the config may give another.
        epochs: Passes over the train split; None: what the config says.
    """

    trains: Trains
    learning_rate: float
    epochs: int | None = None

    @property
    def base_is_trainable(self) -> bool:
        """Whether anything of the encoder is trained."""
        return self.trains.encoder != "nothing"


@dataclass(frozen=True)
class Approach:
    """One way to fine-tune.

    Attributes:
        name: What a config calls it.
        head: The head it uses unless the config names another; a key of `trainer.models.heads.HEADS`.
        phases: What is trained, one phase after the other; the last one makes the model.
        pretrains: Whether the base is first trained further on the task's text (see `trainer.pretrain`).
        adapters: What the encoder gets before the first phase; they are merged into its weights at export.
    """

    name: str
    head: str
    phases: tuple[Phase, ...]
    pretrains: bool = False
    adapters: Adapters | None = None

    @property
    def trains(self) -> Trains:
        """What the last phase trains."""
        return self.phases[-1].trains

    @property
    def learning_rate(self) -> float:
        """The peak rate of the last phase, unless the config gives another."""
        return self.phases[-1].learning_rate

    @property
    def base_is_trainable(self) -> bool:
        """Whether anything of the encoder is trained in the end."""
        return self.phases[-1].base_is_trainable

    @property
    def freezes_base(self) -> bool:
        """Whether a phase trains the head alone, on vectors of the encoder that are computed once."""
        return not all(phase.base_is_trainable for phase in self.phases)


APPROACHES: dict[str, Approach] = {
    row.name: row
    for row in (
        Approach("further_pretrain", head="linear", phases=(Phase(EVERYTHING, 5e-5),), pretrains=True),
        Approach("fine_tune", head="hf", phases=(Phase(EVERYTHING, 5e-5),)),
        Approach("frozen", head="mlp", phases=(Phase(HEAD_ONLY, 1e-2),)),
        # Kumar et al. 2022: a head that fits the frozen base first, so that its first, random gradients do not distort
        # what the base knows. On vectors computed once, ten epochs of a linear head cost seconds.
        Approach(
            "probe_then_fine_tune", head="linear", phases=(Phase(HEAD_ONLY, 1e-2, epochs=10), Phase(EVERYTHING, 5e-5))
        ),
        # Hu et al. 2021, with the rank that they take for RoBERTa. The rate was found on banking77's eval split with
        # MiniLM (docs/experiments.md). It can be higher than that of a trained base, whose weights must stay near.
        Approach(
            "lora", head="linear", phases=(Phase(ADAPTERS, 4e-3),), adapters=Adapters(rank=8, alpha=16, dropout=0.1)
        ),
    )
}


def forgetting_warning(approach: Approach, learning_rate: float, key: str = "learning_rate") -> str | None:
    """A sentence for people when the rate, set by this key, endangers what the base has learned, else None."""
    if approach.trains.encoder != "weights" or learning_rate < FORGETTING_RATE:
        return None
    return (
        f"{key}: {learning_rate:g} on a trainable base risks catastrophic forgetting: rates of "
        f"{FORGETTING_RATE:g} and above destroy what pre-training learned (Sun et al. 2019); use 5e-5 to 2e-5"
        " (a small encoder takes up to about 3e-4)"
    )

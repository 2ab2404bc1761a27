"""The config's section `model`: what is fine-tuned, and in which way."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from fullbake.contract.nearest import did_you_mean
from fullbake.pipeline.config.config_section import Location, Section
from fullbake.trainer.approaches import APPROACHES


def known_approach(name: str) -> str:
    """Returns the name of an approach as it is, if there is such an approach.

    Raises:
        ValueError: There is no such approach; the text names those that there are.
    """
    if name not in APPROACHES:
        raise ValueError(f"is not an approach; choose one of {', '.join(APPROACHES)}{did_you_mean(name, APPROACHES)}")
    return name


class ModelConfig(Section):
    """What is fine-tuned, and in which way."""

    base: Location = "distilbert-base-uncased"
    revision: str | None = None
    approach: Annotated[str, AfterValidator(known_approach)] = "fine_tune"
    head: Literal["linear", "hf", "mlp"] | None = None
    pooling: Literal["cls", "mean"] = "cls"
    max_length: Annotated[int, Field(ge=3)] = 512
    truncation: Literal["head", "head_tail"] = "head"

    @model_validator(mode="after")
    def _head_fits(self) -> ModelConfig:
        if self.head == "hf" and APPROACHES[self.approach].freezes_base:
            raise ValueError(
                f"head: 'hf' needs a trainable base, and approach {self.approach!r} freezes it; use linear or mlp"
            )
        if self.head == "hf" and self.pooling != "cls":
            raise ValueError(f"pooling: head 'hf' has its own, and cannot have {self.pooling!r}; use linear or mlp")
        return self

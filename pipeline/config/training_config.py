"""The config's sections about training: `training`, `pretraining` and `tuning`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fullbake.pipeline.config.config_section import Fraction, Location, Positive, Rate, Section


class TrainingConfig(Section):
    """How it is trained."""

    batch_size: Positive = 16
    gradient_accumulation_steps: Positive = 1
    epochs: Positive = 3
    learning_rate: Rate | None = None
    head_learning_rate: Rate | None = None
    layer_decay: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    unfreeze_layers_per_epoch: Positive | None = None
    warmup_fraction: Fraction = 0.1
    weight_decay: Annotated[float, Field(ge=0.0)] = 0.01
    class_weights: Literal["none", "balanced"] = "none"
    early_stopping_patience: Positive | None = None
    frozen_vectors: Literal["float32", "float16"] = "float32"
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    mixed_precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    distribution: Literal["auto", "none", "mirrored", "multi_worker", "tpu"] = "auto"


class PretrainingConfig(Section):
    """How the base is trained further on the task's text, for an approach that does so."""

    epochs: Positive = 3
    learning_rate: Rate = 5e-5
    batch_size: Positive = 32
    gradient_accumulation_steps: Positive = 1
    mask_probability: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.15
    whole_word: bool = False
    next_sentence: bool = False
    corpus_base: Location | None = None


class TuningConfig(Section):
    """The search for a learning rate, before the training."""

    learning_rates: tuple[Rate, ...] = ()

    @model_validator(mode="after")
    def _several(self) -> TuningConfig:
        rates = self.learning_rates
        if len(rates) == 1:
            raise ValueError("learning_rates: one rate is no search; give several, or set training.learning_rate")
        if len(set(rates)) < len(rates):
            named = ", ".join(f"{rate:g}" for rate in rates)
            raise ValueError(f"learning_rates: {named}: one is there twice; name each once")
        return self

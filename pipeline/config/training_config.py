"""The config's sections about training: `training`, `pretraining` and `tuning`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fullbake.pipeline.config.config_section import Fraction, Location, Positive, Rate, Section


class TrainingConfig(Section):
    """How it is trained."""

    batch_size: Positive = 16
    """Rows computed at once, over all devices."""
    gradient_accumulation_steps: Positive = 1
    """Batches to a step of the optimiser, where a larger batch does not fit in memory."""
    epochs: Positive = 3
    """Passes over the train split."""
    learning_rate: Rate | None = None
    """The highest rate of the schedule; null: the approach's own."""
    head_learning_rate: Rate | None = None
    """That of the head; null: as of the base."""
    layer_decay: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    """Each layer's rate is that of the layer above it times this (Sun et al. 2019: 0.95)."""
    unfreeze_layers_per_epoch: Positive | None = None
    """So many layers join at each epoch, from the top; null: all learn at once."""
    warmup_fraction: Fraction = 0.1
    """Of all steps, in which the rate rises."""
    weight_decay: Annotated[float, Field(ge=0.0)] = 0.01
    """Of AdamW; biases and layer normalisations have none."""
    class_weights: Literal["none", "balanced"] = "none"
    """`balanced`: each class weighs alike in the loss."""
    early_stopping_patience: Positive | None = None
    """Epochs without a better macro recall on the eval split; the best one is restored."""
    frozen_vectors: Literal["float32", "float16"] = "float32"
    """How the vectors of a frozen base are kept on disk; float16 takes half the space."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Of all that is drawn."""
    mixed_precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """In what is computed; `auto` measures, where a processor has bfloat16."""
    distribution: Literal["auto", "none", "mirrored", "multi_worker", "tpu"] = "auto"
    """Over GPUs (`mirrored`), workers of a cluster (`multi_worker`) or a TPU; `auto` takes what is there."""


class PretrainingConfig(Section):
    """How the base is trained further on the task's text, for an approach that does so."""

    epochs: Positive = 3
    """Passes over the texts, with fresh masks in each (Gururangan et al. 2020)."""
    learning_rate: Rate = 5e-5
    """The highest rate of the schedule (Sun et al. 2019)."""
    batch_size: Positive = 32
    """Rows computed at once, over all devices."""
    gradient_accumulation_steps: Positive = 1
    """Batches to a step of the optimiser."""
    mask_probability: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.15
    """Of a token to be predicted: 80% of them become `[MASK]`, 10% another token, 10% stay."""
    whole_word: bool = False
    """Masks words instead of pieces of words."""
    next_sentence: bool = False
    """Also learns which half of a text follows which; needs a base with token types."""
    corpus_base: Location | None = None
    """A folder of more text without labels: files with the text column, or `.txt` with one to a line."""


class TuningConfig(Section):
    """The search for a learning rate, before the training."""

    learning_rates: tuple[Rate, ...] = ()
    """Several: each is trained, and the best macro recall on the eval split wins."""

    @model_validator(mode="after")
    def _several(self) -> TuningConfig:
        rates = self.learning_rates
        if len(rates) == 1:
            raise ValueError("learning_rates: one rate is no search; give several, or set training.learning_rate")
        if len(set(rates)) < len(rates):
            named = ", ".join(f"{rate:g}" for rate in rates)
            raise ValueError(f"learning_rates: {named}: one is there twice; name each once")
        return self

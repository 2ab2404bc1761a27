"""What a training needs to know, as it travels from the pipeline to ``run_fn``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from trainer.approaches import APPROACHES, Approach


@dataclasses.dataclass(frozen=True)
class TrainingSpec:
    """The settings of one fine-tuning; plain values only, so that it survives as JSON.

    Attributes:
      base: the base model, as ``trainer.base_model.open_base`` takes it.
      revision: the hub revision of the base, or None.
      approach: a key of ``trainer.approaches.APPROACHES``.
      head: a key of ``trainer.heads.HEADS``.
      labels: the labels in the order of their class index.
      batch_size: rows that are computed at once, over all replicas.
      gradient_accumulation_steps: batches to an optimiser step.
      epochs: passes over the train split.
      learning_rate: the peak rate.
      warmup_fraction: part of the steps over which the rate rises.
      weight_decay: AdamW's decoupled decay.
      class_weights: ``none``, or ``balanced``: each class weighs alike in the loss however rare it is.
      early_stopping_patience: epochs without a better macro recall on the eval split before training ends, with the
        best weights restored; None trains all epochs and keeps the last weights.
      seed: of the head's first weights, dropout and the order of rows.
      mixed_precision: see ``trainer.distribution.choose_precision``.
      distribution: see ``trainer.distribution.choose_strategy``.
      text_columns: by feature (``text``, maybe ``text_pair``), the CSV column it came from; kept beside the model.
      pooling: what a head of ours gets of the encoder, one of ``trainer.classifier.POOLINGS``.
      checkpoints: a folder in which an interrupted training finds its last epoch again, or None.
      vectors: a folder in which later trainings find the vectors of a frozen base again, or None.
      frozen_vectors: their dtype, ``float32`` or ``float16``.
      head_learning_rate: the head's peak rate where it is not the base's, or None (see ``trainer.rates``).
      layer_decay: each layer's rate is that of the layer above it times this.
      unfreeze_layers_per_epoch: how many layers join the training at each epoch, from the top; None: all at once.
      decision_threshold: of two labels, the probability from which the second is decided; ``auto``: chosen on the eval
        split (see ``trainer.decision``); None: the likelier label wins.
      threshold_min_recall: the recall of the second label that ``auto`` must keep; None otherwise.
      base_hash: what ``trainer.base_model.hash_base`` says of the base, or None where nobody promised anything.
    """

    base: str
    revision: str | None
    approach: str
    head: str
    labels: tuple[str, ...]
    batch_size: int
    epochs: int
    learning_rate: float
    warmup_fraction: float
    weight_decay: float
    class_weights: str
    early_stopping_patience: int | None
    seed: int
    mixed_precision: str
    distribution: str
    text_columns: dict[str, str]
    pooling: str = "cls"
    checkpoints: str | None = None
    vectors: str | None = None
    gradient_accumulation_steps: int = 1
    frozen_vectors: str = "float32"
    head_learning_rate: float | None = None
    layer_decay: float = 1.0
    unfreeze_layers_per_epoch: int | None = None
    decision_threshold: float | str | None = None
    threshold_min_recall: float | None = None
    base_hash: str | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainingSpec:
        """Restores what ``to_dict`` gave, JSON's lists made tuples again."""
        return cls(**{**values, "labels": tuple(values["labels"])})

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dataclasses.asdict(self)

    @property
    def step_rows(self) -> int:
        """Rows to an optimiser step."""
        return self.batch_size * self.gradient_accumulation_steps

    @property
    def row(self) -> Approach:
        """The approach's row of the table."""
        return APPROACHES[self.approach]


@dataclasses.dataclass(frozen=True)
class PretrainingSpec:
    """The settings of one further pre-training; plain values only, so that it survives as JSON.

    Attributes:
      base: the base model, as ``trainer.base_model.open_base`` takes it.
      revision: the hub revision of the base, or None.
      batch_size: rows that are computed at once, over all replicas.
      gradient_accumulation_steps: batches to an optimiser step.
      epochs: passes over the text.
      learning_rate: the peak rate.
      mask_probability: the part of the tokens that is to be guessed.
      whole_word: mask words, not pieces of words.
      next_sentence: also learn whether one half of a text follows the other.
      seed: of a new head's weights, masks, dropout and the order of rows.
      mixed_precision: see ``trainer.distribution.choose_precision``.
      distribution: see ``trainer.distribution.choose_strategy``.
      checkpoints: a folder in which an interrupted training finds its last epoch again, or None.
      base_hash: what ``trainer.base_model.hash_base`` says of the base, or None where nobody promised anything.
    """

    base: str
    revision: str | None
    batch_size: int
    epochs: int
    learning_rate: float
    mask_probability: float
    whole_word: bool
    next_sentence: bool
    seed: int
    mixed_precision: str
    distribution: str
    checkpoints: str | None = None
    gradient_accumulation_steps: int = 1
    base_hash: str | None = None

    @property
    def step_rows(self) -> int:
        """Rows to an optimiser step."""
        return self.batch_size * self.gradient_accumulation_steps

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dataclasses.asdict(self)

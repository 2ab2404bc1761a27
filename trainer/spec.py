"""What a training needs to know, as it travels from the pipeline to `run_fn`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from fullbake.trainer.approaches import APPROACHES, Approach
from fullbake.trainer.tasks.table import SINGLE_LABEL, TASKS, Task
from fullbake.trainer.windows import Windows


@dataclasses.dataclass(frozen=True)
class TrainingSpec:
    """The settings of one fine-tuning; plain values only, so that it survives as JSON.

    Attributes:
        base: The base model, as `trainer.encoder.base_model.open_base` takes it.
        revision: The hub revision of the base, or None.
        approach: A key of `trainer.approaches.APPROACHES`.
        head: A key of `trainer.models.heads.HEADS`.
        labels: The labels in the order of their class index.
        batch_size: Rows that are computed at once, over all replicas.
        gradient_accumulation_steps: Batches to an optimiser step.
        epochs: Passes over the train split.
        learning_rate: The peak rate.
        warmup_fraction: Part of the steps over which the rate rises.
        weight_decay: AdamW's decoupled decay.
        class_weights: `none`, or `balanced`: each class has the same weight in the loss, however rare it is.
        early_stopping_patience: Epochs without a better macro recall on the eval split before training ends, with the
            best weights restored; None trains all epochs and keeps the last weights.
        seed: Of the head's first weights, dropout and the order of rows.
        mixed_precision: See `trainer.devices.distribution.choose_precision`.
        distribution: See `trainer.devices.distribution.choose_strategy`.
        text_columns: By feature (`text`, maybe `text_pair`), the CSV column it came from; kept beside the model.
        pooling: What a head of ours gets of the encoder, one of `trainer.models.classifier.POOLINGS`.
        checkpoints: A folder in which an interrupted training finds its last epoch again, or None.
        vectors: A folder in which later trainings find the vectors of a frozen base again, or None.
        frozen_vectors: Their dtype, `float32` or `float16`.
        head_learning_rate: The head's peak rate where it is not the base's, or None (see `trainer.optimization.rates`).
        layer_decay: Each layer's rate is that of the layer above it times this.
        unfreeze_layers_per_epoch: How many layers join the training at each epoch, from the top; None: all at once.
        task_name: A key of `trainer.tasks.table.TASKS`: what labels are to a row.
        decision_threshold: Of two labels, the probability from which the second is decided, and of a multi-label task
            that of each; `auto`: chosen on the eval split (see `trainer.decision`); None: the likelier label wins.
        calibrate: Whether the probabilities are calibrated on the eval split (see `trainer.calibration`).
        threshold_min_recall: By label, the recall that `auto` must keep; empty otherwise.
        base_hash: What `trainer.encoder.base_model.hash_base` says of the base, or None where nobody promised anything.
        reading: How the files were read, the values of a `contract.results.about.Reading`; kept beside the model.
        windows: Into which a row is cut, to be read window by window; None: it is read whole.
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
    calibrate: bool = False
    threshold_min_recall: dict[str, float] = dataclasses.field(default_factory=dict)
    task_name: str = SINGLE_LABEL.name
    base_hash: str | None = None
    reading: dict[str, Any] = dataclasses.field(default_factory=dict)
    windows: Windows | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainingSpec:
        """Restores what `to_dict` returned, JSON's lists made tuples again."""
        restored = {"labels": tuple(values["labels"]), "windows": Windows.from_dict(values["windows"])}
        return cls(**{**values, **restored})

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

    @property
    def task(self) -> Task:
        """What the labels are to a row."""
        return TASKS[self.task_name]

    @property
    def score(self) -> str:
        """The measure of an epoch that tuning and early stopping watch."""
        return f"eval_{self.task.score}"


@dataclasses.dataclass(frozen=True)
class PretrainingSpec:
    """The settings of one further pre-training; plain values only, so that it survives as JSON.

    Attributes:
        base: The base model, as `trainer.encoder.base_model.open_base` takes it.
        revision: The hub revision of the base, or None.
        batch_size: Rows that are computed at once, over all replicas.
        gradient_accumulation_steps: Batches to an optimiser step.
        epochs: Passes over the text.
        learning_rate: The peak rate.
        mask_probability: The part of the tokens that is to be guessed.
        whole_word: Mask words, not pieces of words.
        next_sentence: Also learn whether one half of a text follows the other.
        seed: Of a new head's weights, masks, dropout and the order of rows.
        mixed_precision: See `trainer.devices.distribution.choose_precision`.
        distribution: See `trainer.devices.distribution.choose_strategy`.
        checkpoints: A folder in which an interrupted training finds its last epoch again, or None.
        base_hash: What `trainer.encoder.base_model.hash_base` says of the base, or None where nobody promised anything.
        windows: Into which a text is cut, each to be learned as a row of its own; None: it is a row.
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
    windows: Windows | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PretrainingSpec:
        """Restores what `to_dict` returned."""
        return cls(**{**values, "windows": Windows.from_dict(values["windows"])})

    @property
    def step_rows(self) -> int:
        """Rows to an optimiser step."""
        return self.batch_size * self.gradient_accumulation_steps

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dataclasses.asdict(self)

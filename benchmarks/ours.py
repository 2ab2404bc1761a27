"""Fullbake's own training, called as the Trainer calls it."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.texts import BASE, LABELS
from fullbake.trainer.approaches import APPROACHES
from fullbake.trainer.data.input_pipeline import TokenizedSplit
from fullbake.trainer.devices.distribution import choose_placement
from fullbake.trainer.encoder.base_model import resolve_base
from fullbake.trainer.fine_tune import train_classifier
from fullbake.trainer.spec import TrainingSpec

BATCH = 16


def train(
    approach: str, train_split: TokenizedSplit, epochs: int, evaluate: TokenizedSplit | None = None, **changes: Any
) -> dict[str, Any]:
    """Trains MiniLM, and gives the record of the training (see `train_classifier`).

    Args:
        approach: A key of `trainer.approaches.APPROACHES`.
        train_split: What is learned.
        epochs: Passes over it.
        evaluate: What each epoch is measured on; None: a batch.
        changes: To the rest of the `TrainingSpec`.
    """
    spec = TrainingSpec(
        base=BASE,
        revision=None,
        approach=approach,
        head="linear",
        labels=LABELS,
        batch_size=BATCH,
        epochs=epochs,
        learning_rate=APPROACHES[approach].learning_rate,
        warmup_fraction=0.1,
        weight_decay=0.01,
        class_weights="none",
        early_stopping_patience=None,
        seed=0,
        mixed_precision="auto",
        distribution="none",
        text_columns={"text": "text"},
    )
    spec = dataclasses.replace(spec, **changes)
    few = TokenizedSplit(
        train_split.streams, train_split.offsets[: BATCH + 1], train_split.labels[:BATCH], train_split.max_length
    )
    with tempfile.TemporaryDirectory() as scratch:
        placement = choose_placement(spec.distribution, spec.mixed_precision, resolve_base(BASE))
        return train_classifier(
            spec, placement, resolve_base(BASE), train_split, evaluate or few, scratch=Path(scratch)
        )[1]


def rows_per_second(split: TokenizedSplit, precision: str = "auto") -> float:
    """Rows a second of the second epoch of a fine-tuning, when its graphs are built."""
    record = train("fine_tune", split, 2, mixed_precision=precision)
    return len(split) / record.epochs[1].seconds

"""What the Trainer says of its training: `training.json`."""

from __future__ import annotations

from pydantic import ConfigDict

from fullbake.contract.names import TRAINING_FILE
from fullbake.contract.results.result import Result, ResultFile


class Epoch(Result):
    """What one epoch measured; None where it was not. What a task measures besides stays, after these.

    Attributes:
        epoch: Its number, from 1.
        loss: On the training texts.
        accuracy: On the same, while they were learned.
        macro_recall: Likewise.
        eval_loss: On the eval split.
        eval_accuracy: On the same.
        eval_macro_recall: Likewise.
        learning_rate: At its end.
        seconds: How long it took.
    """

    model_config = ConfigDict(extra="allow")

    epoch: int
    loss: float | None = None
    accuracy: float | None = None
    macro_recall: float | None = None
    eval_loss: float | None = None
    eval_accuracy: float | None = None
    eval_macro_recall: float | None = None
    learning_rate: float | None = None
    seconds: float | None = None


class Parameters(Result):
    """How many weights a model has.

    Attributes:
        total: All of them.
        trainable: Those that the last phase trained.
    """

    total: int
    trainable: int


class Threshold(Result):
    """A decision threshold and how it does on the rows it was measured on, those of the eval split.

    Attributes:
        value: The label (of two, the second) is decided where its probability is at least this.
        recall: Of the label; None where no row has it.
        precision: Of the label; None where it is never decided.
        chosen: Whether it was chosen on these rows; False: it was given.
    """

    value: float
    recall: float | None
    precision: float | None
    chosen: bool


class Calibration(Result):
    """What the eval split says of a model's probabilities.

    Attributes:
        temperature: What the logits are divided by.
        answers: How many it was fitted on: rows, or of a multi-label model known labels of rows.
        loss_before: Their mean negative log-likelihood in nats as the model was trained.
        loss: The same with the temperature.
    """

    temperature: float
    answers: int
    loss_before: float
    loss: float


class Training(ResultFile):
    """How a model was made.

    Attributes:
        epochs: Of the last phase, in order.
        probe_epochs: Of an earlier phase, in which the head alone was trained.
        best_epoch: The epoch whose weights were kept.
        parameters: How many weights there are.
        encoder_shift: By part of the encoder, from the bottom: how far training moved its weights, as a share of their
            own size. Empty where the encoder was not trained.
        approach: One of the project's approaches.
        head: What sits on the encoder.
        learning_rate: The highest rate of the schedule.
        distribution: The devices found.
        precision: The arithmetic: "float32" or a mixed one.
        warnings: What the trainer wants people to know.
        decision_threshold: From where on the second label is decided; None where the likelier label wins.
        decision_thresholds: By label of a multi-label model, from where on it is decided; empty: from one half.
        calibration: How the probabilities were calibrated; None: they are as they were trained.
        seconds: How long it all took, the export among it.
    """

    FILE = TRAINING_FILE
    INDENT = 1

    epochs: tuple[Epoch, ...] = ()
    probe_epochs: tuple[Epoch, ...] = ()
    best_epoch: int | None = None
    parameters: Parameters | None = None
    encoder_shift: dict[str, float] = {}
    approach: str | None = None
    head: str | None = None
    learning_rate: float | None = None
    distribution: str | None = None
    precision: str | None = None
    warnings: tuple[str, ...] = ()
    decision_threshold: Threshold | None = None
    decision_thresholds: dict[str, Threshold] = {}
    calibration: Calibration | None = None
    seconds: float | None = None

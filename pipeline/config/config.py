"""The config: its sections, and what must hold between them."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Any

import yaml
from pydantic import Field, model_validator

from fullbake.components.data.row_format import RowFormat
from fullbake.contract.nearest import did_you_mean
from fullbake.contract.results.about import Reading, Slicing
from fullbake.pipeline.config.beam_config import BeamConfig
from fullbake.pipeline.config.config_section import Section
from fullbake.pipeline.config.data_config import DataConfig
from fullbake.pipeline.config.gate_config import GateConfig
from fullbake.pipeline.config.kubeflow_config import KubeflowConfig
from fullbake.pipeline.config.model_config import ModelConfig
from fullbake.pipeline.config.push_config import PushConfig
from fullbake.pipeline.config.redaction import HIDDEN, hide_arguments
from fullbake.pipeline.config.report_config import ReportConfig
from fullbake.pipeline.config.tracking_config import TrackingConfig
from fullbake.pipeline.config.training_config import PretrainingConfig, TrainingConfig, TuningConfig
from fullbake.trainer.approaches import APPROACHES, forgetting_warning


class Config(Section):
    """A whole run. Made by `load_config`."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
    """Of the pipeline, its runs, and the output root `runs/<name>`."""
    data: DataConfig
    """Where the texts are and how they are read."""
    model: ModelConfig = ModelConfig()
    """What is fine-tuned, and in which way."""
    training: TrainingConfig = TrainingConfig()
    """How it is trained."""
    pretraining: PretrainingConfig = PretrainingConfig()
    """How the base is trained further, with an approach that does so."""
    tuning: TuningConfig = TuningConfig()
    """The search for a learning rate."""
    gate: GateConfig = GateConfig()
    """What a model must reach on the test split to be pushed."""
    push: PushConfig = PushConfig()
    """Where a model goes."""
    report: ReportConfig = ReportConfig()
    """What the report shows."""
    tracking: TrackingConfig = TrackingConfig()
    """Where runs are logged."""
    beam: BeamConfig = BeamConfig()
    """How the data components run."""
    kubeflow: KubeflowConfig = KubeflowConfig()
    """How the pipeline runs on a cluster."""

    @model_validator(mode="after")
    def _parts_fit(self) -> Config:
        for bounds in ("min_recall", "min_precision", "allow_never_predicted", "min_slice_recall"):
            for label in getattr(self.gate, bounds):
                if label not in self.data.labels:
                    raise ValueError(
                        f"gate.{bounds}: {label!r} is not in data.labels ({', '.join(self.data.labels)})"
                        f"{did_you_mean(label, self.data.labels)}"
                    )
        if self.data.text_pair_column is not None:
            if self.model.truncation != "head":
                raise ValueError(
                    f"model.truncation: sentence pairs are cut longest first; use head, not {self.model.truncation}"
                )
            if self.pretraining.next_sentence:
                raise ValueError(
                    "pretraining.next_sentence: the texts are pairs already, which are no sentences that follow each "
                    "other; set it to false"
                )
        if self.model.windows is not None and self.training.distribution == "tpu":
            raise ValueError(
                "model.truncation: windows are not possible on a TPU, whose batches have one shape; use head or "
                "head_tail, or another training.distribution"
            )
        self._confidence_fits()
        self._slices_fit()
        self._threshold_fits()
        self._rates_fit()
        return self

    def _confidence_fits(self) -> None:
        for key in ("min_recall", "min_precision", "min_slice_recall"):
            for label, bound in getattr(self.gate, key).items():
                if self.gate.confidence is not None and bound == 1:
                    raise ValueError(
                        f"gate.{key}: no number of test rows shows with a confidence of {self.gate.confidence:g} that "
                        f"{label!r} is at 1; set a lower bound, or gate.confidence to null"
                    )

    def _slices_fit(self) -> None:
        if not self.gate.row_slices.wanted:
            return
        taken = {column.strip(): f"data.{key}" for key, column in self.data.row_format.wanted}
        for key, column in self.gate.row_slices.wanted:
            if column.strip() in taken:
                raise ValueError(f"gate.{key}: {column!r} is {taken[column.strip()]}, too; name another column")
            taken[column.strip()] = f"gate.{key}"

    def _threshold_fits(self) -> None:
        if self.gate.decision_threshold is None:
            return
        if self.data.multi_label:
            unbounded = [label for label in self.data.labels if label not in self.gate.min_recall]
            if self.gate.decision_threshold == "auto" and unbounded:
                raise ValueError(
                    "gate.decision_threshold: auto looks for the threshold of each label that meets its "
                    f"gate.min_recall, and {unbounded[0]!r} has no bound; give it one"
                )
            return
        if len(self.data.labels) != 2:
            raise ValueError(
                f"gate.decision_threshold: a threshold decides between two labels, and data.labels has "
                f"{len(self.data.labels)}; set it to null"
            )
        positive = self.data.labels[1]
        if self.gate.decision_threshold == "auto" and positive not in self.gate.min_recall:
            raise ValueError(
                f"gate.decision_threshold: auto looks for the threshold that meets gate.min_recall of {positive!r} "
                "(the second label), which has no bound; give it one"
            )

    def _rates_fit(self) -> None:
        if APPROACHES[self.model.approach].base_is_trainable:
            return
        for key in ("head_learning_rate", "unfreeze_layers_per_epoch"):
            if getattr(self.training, key) is not None:
                raise ValueError(
                    f"training.{key}: approach {self.model.approach!r} trains the head alone; set it to null"
                )
        if self.training.layer_decay != 1.0:
            raise ValueError(
                f"training.layer_decay: approach {self.model.approach!r} trains no layer of the base; set it to 1.0"
            )

    @property
    def row_format(self) -> RowFormat:
        """How the files are to be read, the columns of slices among theirs."""
        fmt = self.data.row_format
        keys = {key: f"gate.{key}" for key in ("slices", "identity_columns")}
        return replace(fmt, slices=self.gate.row_slices, names={**fmt.names, **keys})

    @property
    def reading(self) -> Reading:
        """What a model keeps of how its files were read, and of what made slices of their rows."""
        return self.data.reading.model_copy(update={"slicing": Slicing(**asdict(self.gate.row_slices))})

    @property
    def head(self) -> str:
        """The head that is used: the config's, or the approach's own."""
        if self.model.head:
            return self.model.head
        own = APPROACHES[self.model.approach].head
        return "linear" if own == "hf" and self.model.pooling != "cls" else own

    @property
    def learning_rate(self) -> float:
        """The peak rate that is used: the config's, or the approach's own."""
        return self.training.learning_rate or APPROACHES[self.model.approach].learning_rate

    def warnings(self) -> list[str]:
        """Returns what is allowed and yet unwise, a sentence each."""
        found: list[str] = []
        approach = APPROACHES[self.model.approach]
        rates = {"training.learning_rate": self.learning_rate}
        if self.tuning.learning_rates:
            rates = {"tuning.learning_rates": max(self.tuning.learning_rates)}
        if approach.pretrains:
            rates["pretraining.learning_rate"] = self.pretraining.learning_rate
        found += [warning for key, rate in rates.items() if (warning := forgetting_warning(approach, rate, key))]
        unbounded = [label for label in self.data.labels if label not in self.gate.min_recall]
        if unbounded:
            some = ", ".join(repr(label) for label in unbounded[:3]) + (" …" if len(unbounded) > 3 else "")
            found.append(
                f"gate.min_recall: no bound for {some}: a model that never finds these texts may be pushed; "
                "give each label a bound"
            )
        if self.gate.decision_threshold == "auto" and self.gate.confidence is not None:
            found.append(
                "gate.decision_threshold: auto leaves the recall at its bound with nothing to spare, and "
                "gate.confidence wants the lower end of its interval there, which will hardly be met; set a number, or "
                "confidence to null"
            )
        return found

    def shown_values(self) -> dict[str, Any]:
        """Returns the values for people, with defaults and overrides and without secrets (see `redaction`).

        The section `tracking` is not among them: the report is a component's, and the cache would take another server
        for another report.
        """
        values = self.model_dump(mode="json", exclude={"tracking"})
        values["kubeflow"]["env"] = dict.fromkeys(self.kubeflow.env, HIDDEN)
        values["beam"]["args"] = hide_arguments(self.beam.args)
        return values

    def to_yaml(self) -> str:
        """Returns `shown_values` as YAML."""
        return yaml.safe_dump(self.shown_values(), sort_keys=False, allow_unicode=True)

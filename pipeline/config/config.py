"""The config: every key, its type, its default and its bounds; those about a cluster are in `kubeflow_config`."""

from __future__ import annotations

import copy
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config_file import apply_override, explain, parse_override, read_values
from fullbake.pipeline.config.config_section import Fraction, Label, Location, Positive, Rate, Section, nearest
from fullbake.pipeline.config.kubeflow_config import KubeflowConfig
from fullbake.pipeline.config.redaction import HIDDEN, hide_arguments
from fullbake.trainer.approaches import APPROACHES, forgetting_warning

# Unicode's categories of control characters, surrogates, and separators of lines and paragraphs. Format characters (Cf)
# are not among them: they join emoji, and letters of several scripts.
UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")


def _known_approach(name: str) -> str:
    if name not in APPROACHES:
        raise ValueError(f"is not an approach; choose one of {', '.join(APPROACHES)}{nearest(name, APPROACHES)}")
    return name


def _threshold(value: Any) -> Any:
    if value is None or value == "auto":
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if not 0.0 < number < 1.0:
        raise ValueError("is neither auto nor a probability between 0 and 1")
    return number


class DataConfig(Section):
    """Where the texts are and how they are read."""

    input_base: Location
    pattern: str = "*"
    window: Positive = 1
    text_column: str = "text"
    text_pair_column: str | None = None
    label_column: str = "label"
    labels: tuple[Label, ...]
    label_map: dict[Label, Label] = {}
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    encoding: str = "utf-8"
    quoting: Literal["auto", "standard", "none"] = "auto"
    on_bad_row: Literal["fail", "quarantine"] = "fail"
    max_bad_fraction: Fraction = 0.01
    on_duplicate: Literal["keep", "drop"] = "keep"
    on_conflict: Literal["keep", "drop", "fail"] = "keep"
    split: dict[str, Positive] = {"train": 8, "eval": 1, "test": 1}
    test_base: Location | None = None
    max_label_drift: Fraction | None = None
    max_length_drift: Fraction | None = None

    @model_validator(mode="before")
    @classmethod
    def _split_of_what_is_left(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("test_base") is not None and "split" not in values:
            return {**values, "split": {"train": 8, "eval": 1}}
        return values

    @model_validator(mode="after")
    def _window_fits(self) -> DataConfig:
        if self.window > 1 and ("{SPAN" not in self.pattern or "{VERSION" in self.pattern):
            raise ValueError(
                f"window: {self.window} spans are asked for, and pattern {self.pattern!r} does not number spans alone; "
                'write it with {SPAN} and without {VERSION}, such as "span-{SPAN}/*", or set window to 1'
            )
        return self

    @model_validator(mode="after")
    def _drift_fits(self) -> DataConfig:
        for key in ("max_label_drift", "max_length_drift"):
            if getattr(self, key) is not None and not any(marker in self.pattern for marker in ("{SPAN", "{YYYY}")):
                raise ValueError(
                    f"{key}: drift is measured against the span before, and pattern {self.pattern!r} numbers no spans; "
                    'write it with {SPAN}, such as "span-{SPAN}/*", or set the bound to null'
                )
        return self

    @model_validator(mode="after")
    def _labels_fit(self) -> DataConfig:
        if len(self.labels) < 2:
            raise ValueError("labels: at least two are needed")
        for label in self.labels:
            if not label or label != label.strip():
                raise ValueError(f"labels: {label!r} can never be found, for the file's values are stripped; mend it")
            if any(unicodedata.category(char) in UNPRINTABLE for char in label):
                raise ValueError(
                    f"labels: {label!r} has a line break or control character, which tables and logs cannot show; "
                    "map it to another name with data.label_map"
                )
        twice = sorted({label for label in self.labels if self.labels.count(label) > 1})
        if twice:
            raise ValueError(f"labels: {twice[0]!r} is listed twice")
        seen: dict[str, str] = {}
        for label in self.labels:
            alike = seen.setdefault(" ".join(unicodedata.normalize("NFC", label).split()), label)
            if alike != label:
                raise ValueError(
                    f"labels: {alike!a} and {label!a} look the same; name one, and map the other to it "
                    "with data.label_map"
                )
        for value, label in self.label_map.items():
            if label not in self.labels:
                raise ValueError(
                    f"label_map: {value!r} is mapped to {label!r}, which is not in labels{nearest(label, self.labels)}"
                )
        wanted = {"train", "eval", "test"} if self.test_base is None else {"train", "eval"}
        if set(self.split) != wanted:
            parts = (
                "train, eval and test" if self.test_base is None else "train and eval (data.test_base is the test set)"
            )
            raise ValueError(f"split: names {', '.join(self.split)}; give one share for each of {parts}")
        return self


class ModelConfig(Section):
    """What is fine-tuned, and in which way."""

    base: Location = "distilbert-base-uncased"
    revision: str | None = None
    approach: Annotated[str, AfterValidator(_known_approach)] = "fine_tune"
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
    """What is tried before the training that counts."""

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


class GateConfig(Section):
    """What a model must reach on the test split to be pushed."""

    min_recall: dict[Label, Fraction] = {}
    min_precision: dict[Label, Fraction] = {}
    confidence: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    allow_no_bounds: bool = False
    allow_never_predicted: tuple[Label, ...] = ()
    max_recall_drop: Fraction | None = 0.02
    accept_baseline_loss: bool = False
    decision_threshold: Annotated[float | str | None, BeforeValidator(_threshold)] = None


class PushConfig(Section):
    """Where a blessed model goes."""

    serving_dir: Location | None = None
    keep_versions: Positive | None = None


class BeamConfig(Section):
    """How the data components run; any Beam runner."""

    args: tuple[str, ...] = ()


class Config(Section):
    """A whole run. Made by `load_config`."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
    data: DataConfig
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    pretraining: PretrainingConfig = PretrainingConfig()
    tuning: TuningConfig = TuningConfig()
    gate: GateConfig = GateConfig()
    push: PushConfig = PushConfig()
    beam: BeamConfig = BeamConfig()
    kubeflow: KubeflowConfig = KubeflowConfig()

    @model_validator(mode="after")
    def _parts_fit(self) -> Config:
        for bounds in ("min_recall", "min_precision", "allow_never_predicted"):
            for label in getattr(self.gate, bounds):
                if label not in self.data.labels:
                    raise ValueError(
                        f"gate.{bounds}: {label!r} is not in data.labels ({', '.join(self.data.labels)})"
                        f"{nearest(label, self.data.labels)}"
                    )
        if self.data.text_pair_column is not None:
            if self.model.truncation != "head":
                raise ValueError("model.truncation: sentence pairs are cut longest first; use head, not head_tail")
            if self.pretraining.next_sentence:
                raise ValueError(
                    "pretraining.next_sentence: the texts are pairs already, which are no sentences that follow each "
                    "other; set it to false"
                )
        self._confidence_fits()
        self._threshold_fits()
        self._rates_fit()
        return self

    def _confidence_fits(self) -> None:
        for key in ("min_recall", "min_precision"):
            for label, bound in getattr(self.gate, key).items():
                if self.gate.confidence is not None and bound == 1:
                    raise ValueError(
                        f"gate.{key}: no number of test rows shows with a confidence of {self.gate.confidence:g} that "
                        f"{label!r} is at 1; set a lower bound, or gate.confidence to null"
                    )

    def _threshold_fits(self) -> None:
        if self.gate.decision_threshold is None:
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
        """What is allowed and yet unwise, a sentence each."""
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

    def to_yaml(self) -> str:
        """The config as YAML for people, defaults and overrides included; secrets are left out (see `redaction`)."""
        values = self.model_dump(mode="json")
        values["kubeflow"]["env"] = dict.fromkeys(self.kubeflow.env, HIDDEN)
        values["beam"]["args"] = hide_arguments(self.beam.args)
        return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


def check_approach(name: str) -> None:
    """Raises InputError where `--approach` names none."""
    try:
        _known_approach(name)
    except ValueError as error:
        raise InputError(f"--approach: {name!r} {error}") from error


def load_config(file: Path, overrides: Sequence[str] = ()) -> Config:
    """Reads and checks a config file.

    Args:
        file: A YAML file.
        overrides: `key.path=value` each; they win over the file, and later ones over earlier ones.

    Raises:
        InputError: The file cannot be read, is not YAML, or says something that is not allowed. The text names file,
            key, value and remedy.
    """
    values = read_values(file)
    if not overrides:
        return _validated(values, str(file))
    given = [parse_override(override, Config) for override in overrides]
    changed = copy.deepcopy(values)
    for override in given:
        apply_override(changed, override)
    try:
        return Config.model_validate(changed)
    except ValidationError as error:
        source = str(file)
        if _is_valid(values):
            source += f" with {', '.join(override.shown for override in given)}"
        raise InputError(explain(error, Config, source, given)) from error


def _is_valid(values: Mapping[str, Any]) -> bool:
    try:
        Config.model_validate(values)
    except ValidationError:
        return False
    return True


def restore_config(values: Mapping[str, Any], overrides: Mapping[str, Any] | None = None) -> Config:
    """Makes a config of what `Config.model_dump` gave.

    Args:
        values: Plain values, as JSON keeps them.
        overrides: By key, as `section.key`, a value that wins over the config's. Default: none.

    Raises:
        InputError: An override is not allowed. The text names key, value and remedy.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(values))
    for key, value in (overrides or {}).items():
        section, _, name = key.partition(".")
        changed[section][name] = value
    return _validated(changed, "this run's config")


def _validated(values: Mapping[str, Any], source: str) -> Config:
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise InputError(explain(error, Config, source)) from error

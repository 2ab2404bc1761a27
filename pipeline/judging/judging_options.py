"""What may be said of a file on which models are judged, beyond what the first of them says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fullbake.contract.errors import InputError
from fullbake.contract.nearest import did_you_mean
from fullbake.contract.setting_names import SettingNames
from fullbake.pipeline.config.config_keys import CONFIG_KEYS

OPTIONS = {
    "input_base": "FILE",
    "text_column": "--text",
    "text_pair_column": "--text-pair",
    "label_column": "--label",
    "delimiter": "--delimiter",
    "encoding": "--encoding",
    "quoting": "--quoting",
    "on_bad_row": "--on-bad-row",
    "max_bad_fraction": "--max-bad-fraction",
    "slices": "--slice",
    "min_recall": "--min-recall",
    "min_precision": "--min-precision",
    "confidence": "--confidence",
}
"""By the name of a setting, the option that says it."""

FROM_MODEL = CONFIG_KEYS | {"labels": "the model's labels"} | OPTIONS
"""What settings are called where no config says them; what no option says, a config would."""


@dataclass(frozen=True)
class JudgingOptions:
    """What was said. What was not is as in the model's training, or as the config has it.

    Attributes:
        text: The column of the text.
        text_pair: The column of the second text.
        label: The column of the label.
        config: A config whose sections `data` and `gate` say how the file is read and what is asked of the model.
        overrides: Of its keys, `key.path=value` each.
        min_recall: By label, a bound that replaces the one known.
        min_precision: Likewise.
        confidence: That of the gate.
        slices: Columns that make slices, instead of those known; a length stays one.
        without_slices: Whether there are no slices at all.
        on_bad_row: As of `data.on_bad_row`.
        max_bad_fraction: As of `data.max_bad_fraction`.
        delimiter: Of the file; None: it is found out.
        encoding: Likewise.
        quoting: Likewise.

    Raises:
        InputError: A number is none that it may be, or two of them exclude each other.
    """

    text: str | None = None
    text_pair: str | None = None
    label: str | None = None
    config: Path | None = None
    overrides: tuple[str, ...] = ()
    min_recall: Mapping[str, float] = field(default_factory=dict)
    min_precision: Mapping[str, float] = field(default_factory=dict)
    confidence: float | None = None
    slices: tuple[str, ...] = ()
    without_slices: bool = False
    on_bad_row: str | None = None
    max_bad_fraction: float | None = None
    delimiter: str | None = None
    encoding: str | None = None
    quoting: str | None = None

    def __post_init__(self) -> None:
        """Refuses what can be no option."""
        for option, bounds in (("--min-recall", self.min_recall), ("--min-precision", self.min_precision)):
            for label, bound in bounds.items():
                if not 0 <= bound <= 1:
                    raise InputError(f"{option}: {bound:g} for {label!r} is not between 0 and 1")
        if self.confidence is not None and not 0 < self.confidence < 1:
            raise InputError(f"--confidence: {self.confidence:g} is not between 0 and 1, such as 0.95")
        if self.max_bad_fraction is not None and not 0 <= self.max_bad_fraction <= 1:
            raise InputError(f"--max-bad-fraction: {self.max_bad_fraction:g} is not between 0 and 1")
        if self.on_bad_row not in (None, "fail", "quarantine"):
            raise InputError(f"--on-bad-row: {self.on_bad_row!r} is neither fail nor quarantine")
        if self.slices and self.without_slices:
            raise InputError("--slice: --no-slices is given, too; take one of both away")
        if self.overrides and self.config is None:
            raise InputError("--set: it changes a key of a config; name the config with --config")

    @property
    def said(self) -> dict[str, str]:
        """By the name of its setting of `Dialect`, what was said of the file."""
        known = {"delimiter": self.delimiter, "encoding": self.encoding, "quoting": self.quoting}
        return {name: value for name, value in known.items() if value is not None}

    @property
    def names(self) -> SettingNames:
        """By the name of a setting, what people call it."""
        if self.config is None:
            return SettingNames(FROM_MODEL)
        given = {"input_base", *self.said}
        for name, value in (
            ("text_column", self.text),
            ("text_pair_column", self.text_pair),
            ("label_column", self.label),
            ("slices", self.slices),
            ("on_bad_row", self.on_bad_row),
            ("max_bad_fraction", self.max_bad_fraction),
            ("min_recall", self.min_recall),
            ("min_precision", self.min_precision),
            ("confidence", self.confidence),
        ):
            if value:
                given.add(name)
        return SettingNames(CONFIG_KEYS | {name: OPTIONS[name] for name in given})

    def check_labels(self, labels: tuple[str, ...]) -> None:
        """Checks that bounds are about labels of the model.

        Raises:
            InputError: One is not.
        """
        for option, bounds in (("--min-recall", self.min_recall), ("--min-precision", self.min_precision)):
            for label in bounds:
                if label not in labels:
                    raise InputError(
                        f"{option}: {label!r} is not a label of the model ({', '.join(labels)})"
                        f"{did_you_mean(label, labels)}"
                    )

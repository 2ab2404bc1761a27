"""The config's section `model`: what is fine-tuned, and in which way."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, NonNegativeInt, model_validator

from fullbake.contract.nearest import did_you_mean
from fullbake.pipeline.config.config_section import Location, Section
from fullbake.trainer.approaches import APPROACHES
from fullbake.trainer.windows import Windows

# Transform's rows have room for all windows: at 64 of 512 tokens a row takes 400 KB, and Beam holds a thousand.
MOST_WINDOWS = 64


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
    """The encoder: an id of the Hugging Face hub, a folder, or `package:<python package>/<folder>`."""
    revision: str | None = None
    """Pins a commit of the hub."""
    approach: Annotated[str, AfterValidator(known_approach)] = "fine_tune"
    """How it is trained: see [the approaches](approaches.md)."""
    head: Literal["linear", "hf", "mlp"] | None = None
    """What sits on the encoder; null: the approach's own."""
    pooling: Literal["cls", "mean"] = "cls"
    """What `linear` and `mlp` get of the encoder: the `[CLS]` vector, or the mean of all tokens."""
    max_length: Annotated[int, Field(ge=3)] = 512
    """Tokens of a text, or of a window, special ones among them."""
    truncation: Literal["head", "head_tail", "windows"] = "head"
    """Of a longer text: its first tokens; its first 128 and its last (Sun et al. 2019); or all, in windows."""
    window_overlap: NonNegativeInt | None = None
    """Tokens that a window has in common with the one before it; null: a quarter of `max_length`."""
    max_windows: Annotated[int, Field(ge=1, le=MOST_WINDOWS)] = 8
    """Of a text; what is beyond them is cut."""
    window_pooling: Literal["max", "mean"] = "max"
    """What makes each label's logit of those of the windows."""

    @model_validator(mode="after")
    def _head_fits(self) -> ModelConfig:
        if self.head == "hf" and APPROACHES[self.approach].freezes_base:
            raise ValueError(
                f"head: 'hf' needs a trainable base, and approach {self.approach!r} freezes it; use linear or mlp"
            )
        if self.head == "hf" and self.pooling != "cls":
            raise ValueError(f"pooling: head 'hf' has its own, and cannot have {self.pooling!r}; use linear or mlp")
        return self

    @model_validator(mode="after")
    def _windows_fit(self) -> ModelConfig:
        if self.windows is None:
            for key in ("window_overlap", "max_windows", "window_pooling"):
                default = type(self).model_fields[key].default
                if getattr(self, key) != default:
                    raise ValueError(
                        f"{key}: there are no windows with truncation {self.truncation!r}; leave it out, or set "
                        "truncation to windows"
                    )
        elif self.windows.step < 1:
            raise ValueError(
                f"window_overlap: of the {self.max_length} tokens of max_length two are special, so windows that have "
                f"{self.windows.overlap} in common would not move on; set it to {self.max_length - 3} or less"
            )
        return self

    @property
    def windows(self) -> Windows | None:
        """Into which a text is cut, or None.

        By default they overlap by a quarter: a sentence of so many tokens is whole in one of them. Of 512 it is 128, as
        Hugging Face's examples of question answering take it (`doc_stride`).
        """
        if self.truncation != "windows":
            return None
        overlap = self.max_length // 4 if self.window_overlap is None else self.window_overlap
        return Windows(self.max_length, overlap, self.max_windows, self.window_pooling)

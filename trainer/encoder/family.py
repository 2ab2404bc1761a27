"""What is known of a family of encoders. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fullbake.contract.errors import InputError
from fullbake.trainer.encoder.family_shapes import Shapes, Sizes, pooler_shapes


@dataclass(frozen=True)
class Family:
    """What is known of all encoders of one `model_type`.

    Attributes:
        model_type: What their config.json calls it.
        known: Well-known models of it, as the hub names them.
        size_keys: By a name of `Sizes`, the keys of config.json that hold it, of which the last that is there wins, and
            what it is where none is.
        settings: By key of config.json, the values with which the encoder computes here what it does in Hugging Face;
            the first is what transformers takes where the key is missing.
        stated: The same, where the key must be there.
        shapes: The encoder's weights without a pooler.
        pooler: Whether Hugging Face's own classification head reads the encoder's pooler.
        pooler_shapes: The weights of the pooler.
        own_prefix: The prefix of the encoder's weights in PyTorch, where that is not the `model_type`.
        unused_positions: How many rows of the table of positions no token has: RoBERTa counts on from its pad id.
        separators_part: Whether separators alone part two texts, though it has `type_vocab_size`.
    """

    model_type: str
    known: tuple[str, ...]
    size_keys: Mapping[str, tuple[tuple[str, ...], int]]
    settings: Mapping[str, tuple[Any, ...]]
    shapes: Callable[[Sizes], Shapes]
    stated: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    pooler: bool = False
    pooler_shapes: Callable[[Sizes], Shapes] = pooler_shapes
    own_prefix: str = ""
    unused_positions: int = 0
    separators_part: bool = False

    @property
    def prefix(self) -> str:
        """The prefix of the encoder's weights in PyTorch."""
        return self.own_prefix or self.model_type

    def sizes(self, config: Mapping[str, Any], base: str) -> Sizes:
        """The sizes that a config.json states.

        Args:
            config: Its content.
            base: What the base model is called in messages.

        Raises:
            InputError: One is no whole number above 0, or the heads do not divide the hidden size.
        """
        found = {"types": 0}
        for name, (keys, default) in self.size_keys.items():
            key, value = ([(key, config[key]) for key in keys if key in config] or [(keys[0], default)])[-1]
            # Some may be 0, for what is not there.
            if not isinstance(value, int) or isinstance(value, bool) or value < min(default, 1):
                raise InputError(
                    "{model}: {key} in its config.json is {value!r}, not a whole number above 0",
                    field="base",
                    model=base,
                    key=key,
                    value=value,
                )
            found[name] = value
        if found["hidden"] % found["heads"]:
            raise InputError(
                "{model}: by its config.json {heads} attention heads share a hidden size of {hidden}, which they do "
                "not divide; fetch the model again",
                field="base",
                model=base,
                heads=found["heads"],
                hidden=found["hidden"],
            )
        longest = found["positions"] - self.unused_positions
        return {"embedding": found["hidden"], "longest": longest, **found}

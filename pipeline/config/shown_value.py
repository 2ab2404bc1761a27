"""Values as errors show them."""

from __future__ import annotations

from fullbake.pipeline.config.redaction import hide_passwords

SECRETS = ("kubeflow.env", "kubeflow.notify")
"""Keys whose values no error shows; of `notify`, for whoever writes the address itself there."""

_LONGEST = 120  # characters


def shorten(text: str) -> str:
    """Returns a value as an error shows it: on one line, without passwords, and without its middle where it is long."""
    text = hide_passwords(text)
    text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 20]} … {text[-15:]}"

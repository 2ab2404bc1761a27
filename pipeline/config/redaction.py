"""Keeps secrets that a config may hold out of reports, logs and errors."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence

HIDDEN = "***"
LOG_LINE = "%(asctime)s %(levelname).1s %(name)s: %(message)s"

_USER_AND_PASSWORD = re.compile(r"(?<=://)[^/@\s'\"]*:[^/@\s'\"]+(?=@)")
_SECRET_NAME = re.compile(
    r"passw|passphrase|pwd|secret|token|credential|authorization|(api|access|account|private)[_-]?key", re.IGNORECASE
)
# A shorter value may be a word or a number that means something else elsewhere in a log.
_LEAST_SECRET = 6


def names_a_secret(name: str) -> bool:
    """Returns whether a variable or an option of this name is likely to hold a secret."""
    return _SECRET_NAME.search(name) is not None


def has_password(text: str) -> bool:
    """Returns whether a text has an address with a password in it: `scheme://user:password@host`."""
    return _USER_AND_PASSWORD.search(text) is not None


def hide_passwords(text: str) -> str:
    """Returns the text without the users and passwords of its addresses."""
    return _USER_AND_PASSWORD.sub(HIDDEN, text)


def hide_arguments(args: Sequence[str]) -> list[str]:
    """Returns command-line arguments without the values of those whose name is that of a secret.

    Args:
        args: `--name=value` each, or a name and then its value.
    """
    hidden: list[str] = []
    value_follows = False
    for arg in args:
        name, equals, _ = arg.partition("=")
        named = arg.startswith("-") and names_a_secret(name)
        if value_follows and not arg.startswith("-"):
            hidden.append(HIDDEN)
        else:
            hidden.append(f"{name}={HIDDEN}" if named and equals else hide_passwords(arg))
        value_follows = named and not equals
    return hidden


class Redactor:
    """Removes the secrets of these arguments, and passwords in addresses, from texts.

    Args:
        args: command-line arguments that libraries may log.
    """

    def __init__(self, args: Sequence[str]):
        self._secrets: list[str] = []
        for arg, shown in zip(args, hide_arguments(args), strict=True):
            secret = arg.partition("=")[2] if shown.endswith(f"={HIDDEN}") else arg if shown == HIDDEN else ""
            if len(secret) >= _LEAST_SECRET:
                # As it is, as protocol buffers and JSON write it, and as Python does.
                self._secrets += [secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]]

    def __call__(self, text: str) -> str:
        """Returns the text without them."""
        text = hide_passwords(text)
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text


class RedactingFormatter(logging.Formatter):
    """Writes log records without the secrets of these arguments, and without passwords in addresses.

    Args:
        fmt: As of `logging.Formatter`.
        args: command-line arguments that libraries may log.
    """

    def __init__(self, fmt: str, args: Sequence[str]):
        super().__init__(fmt)
        self._redact = Redactor(args)

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line, or lines, of a record."""
        return self._redact(super().format(record))

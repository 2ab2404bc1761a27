"""The exception for what a user can fix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fullbake.contract.setting_names import SettingNames


class InputError(Exception):
    """The config, the data or the base model cannot be used as given.

    Its text is one line for people: what is wrong, where, and the remedy. The command line prints it without a
    traceback and ends with exit code 2.

    Code that knows no config file says which setting an error is about by the setting's own name. Whoever knows the
    config file has the error in its words, with `text`.

    Args:
        message: The line. With a `field` or values, `{name}` in it stands for one of the values, or else for the
            setting of this name; without both it stays as it is.
        field: The name of the setting that the line is about and begins with. Default: it is about none.
        **values: By name, what is put into the line.

    Example:
        >>> error = InputError("there is no folder {folder!r}", field="base", folder="x")
        >>> str(error), error.text({"base": "model.base"})
        ("base: there is no folder 'x'", "model.base: there is no folder 'x'")
    """

    def __init__(self, message: str, *, field: str | None = None, **values: Any):
        super().__init__(message)
        self.field = field
        self.values = values

    def text(self, keys: Mapping[str, str]) -> str:
        """Returns the line, settings named by their config keys.

        Args:
            keys: By the name of a setting, its key; a name that is not in it stays.
        """
        message = str(self.args[0])
        if self.field is None and not self.values:
            return message
        line = message.format_map(SettingNames({**keys, **self.values}))
        return line if self.field is None else f"{SettingNames(keys)[self.field]}: {line}"

    def named(self, keys: Mapping[str, str]) -> InputError:
        """Returns this error with its settings named by their keys, for whoever reads `str(error)` and `error.field`.

        Args:
            keys: As of `text`.
        """
        line = self.text(keys)
        if self.field is None:
            return InputError(line)
        key = SettingNames(keys)[self.field]
        return InputError("{line}", field=key, line=line.removeprefix(f"{key}: "))

    def to_dict(self) -> dict[str, Any]:
        """Returns it as plain values for JSON, if its own values are plain."""
        return {"message": self.args[0], "field": self.field, "values": self.values}

    @classmethod
    def from_dict(cls, parts: Mapping[str, Any]) -> InputError:
        """Returns the error of which `to_dict` returned this."""
        return cls(parts["message"], field=parts["field"], **parts["values"])

    def __str__(self) -> str:
        return self.text({})


class DivergedError(InputError):
    """The loss of a training is no longer a number: the rate was too high."""

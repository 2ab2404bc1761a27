"""Text of users in Markdown."""

from __future__ import annotations

import re

from markupsafe import Markup

# What CommonMark and GitHub's tables, struck-out text, formulas, mentions and bare addresses give a meaning to in the
# middle of a line; a text of a user never begins one.
_MEANT = re.compile(r"[\\`*_\[\]<>&|~#$!{}@]|(?<=www)\.|:(?=//)", re.IGNORECASE)


def as_text(value: object) -> object:
    """Returns a text so that Markdown shows it as it is, in one line; what is no text or `Markup` is left alone."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return _MEANT.sub(lambda found: "\\" + found[0], " ".join(value.split()))

"""What went wrong in MLflow, for a line of ours."""

from __future__ import annotations

from fullbake.pipeline.config.redaction import hide_passwords

_MOST = 300  # characters; an error of urllib3's names each of its causes


def failure(error: Exception) -> str:
    """Returns the first line of an error's text, short and without passwords; its kind where it has no text."""
    lines = str(error).strip().splitlines()
    line = hide_passwords(lines[0]) if lines else type(error).__name__
    return line if len(line) <= _MOST else f"{line[:_MOST]}…"

"""Judges a pushed model on a file inside another program: what `fullbake.evaluate` does."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from typing import Any

from fullbake.pipeline.embedded.host_program import guest
from fullbake.pipeline.judging.evaluate import evaluate
from fullbake.pipeline.judging.judgement import Judgement


def embedded_evaluation(
    model: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    file: str | os.PathLike[str],
    progress: Callable[[str, int, int], None],
    **options: Any,
) -> Judgement:
    """Judges a model, or compares two.

    Args:
        model: One, or two of them.
        file: The labelled file.
        progress: As `on_progress` of `judging.evaluate`.
        **options: As its others.

    Raises:
        InputError: Any of it cannot be used.
    """
    with guest(pushed_model="model") as stdout:

        def told(stage: str, done: int, rows: int) -> None:
            with redirect_stdout(stdout):
                progress(stage, done, rows)

        models = [model] if isinstance(model, str | os.PathLike) else model
        return evaluate([_at_home(one) for one in models], _at_home(file), on_progress=told, **options)


def _at_home(path: str | os.PathLike[str]) -> str:
    return os.path.expanduser(os.fspath(path))

"""Runs the pipeline inside another program: what `fullbake.run` does."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from fullbake.pipeline.config.config_file import read_values
from fullbake.pipeline.config.loading import make_config
from fullbake.pipeline.embedded.host_program import guest
from fullbake.pipeline.embedded.run_result import RunResult
from fullbake.pipeline.interruption import Interruption
from fullbake.pipeline.output_root import default_root, sole_use
from fullbake.pipeline.preflight import check_baseline, check_bounds, check_inputs, serving_folder
from fullbake.pipeline.tracking.tracking_check import check_tracking


def embedded_run(
    config: str | os.PathLike[str] | Mapping[str, Any],
    overrides: Mapping[str, Any],
    root: str | os.PathLike[str] | None,
    progress: Callable[[str, float | None], None],
) -> RunResult:
    """Runs every component whose result is not in the cache.

    Args:
        config: A file, or its values.
        overrides: By `key.path`, a value that wins over the config's.
        root: The output root. None: `runs/<name>`.
        progress: As `on_component` of `local_runner.run_locally`.

    Raises:
        InputError: The config, the data, the base model or the model in production cannot be used.
    """
    with guest() as stdout:

        def told(name: str, seconds: float | None) -> None:
            with redirect_stdout(stdout):
                progress(name, seconds)

        if isinstance(config, Mapping):
            checked = make_config(config, overrides, "config")
        else:
            file = Path(config).expanduser()
            checked = make_config(read_values(file), overrides, str(file))
        check_bounds(checked)
        check_tracking(checked)
        warnings = [*checked.warnings(), *check_inputs(checked)]
        folder = default_root(checked) if root is None else Path(root).expanduser()
        with sole_use(folder, Interruption()):
            check_baseline(checked, serving_folder(checked, folder))
            from fullbake.pipeline.local_runner import run_locally  # half a minute of imports, on a slow machine

            record = run_locally(checked, folder, told, warnings.append)
        # As a file has it: tuples are lists there.
        summary = json.loads(json.dumps(record.summary()))
        return RunResult(
            pushed=summary["pushed"],
            model=summary["model"],
            blessed=summary["blessed"],
            missed_bounds=tuple(record.evaluation.missed),
            metrics=summary["metrics"],
            report=Path(summary["report"]),
            warnings=tuple(warnings),
            summary=summary,
        )

"""`fullbake models`: lists what was pushed."""

from __future__ import annotations

import datetime
import hashlib
from typing import TYPE_CHECKING, Any

import click

from fullbake.command_line.options import directory_argument, json_option, quiet_option
from fullbake.command_line.serving_folder import find_serving_folder
from fullbake.command_line.terminal import number, print_json, table_console
from fullbake.contract.names import EVAL_SPLIT, TEST_SPLIT, TRAIN_SPLIT

if TYPE_CHECKING:
    from fullbake.components.serving.pushed_models import Version
    from fullbake.contract.results.push import Push

_PIPE_WIDTH = 200  # columns


@click.command()
@directory_argument
@json_option
@quiet_option
def models(directory: str, as_json: bool, quiet: bool) -> None:
    """List what was pushed: when, made of what, how good, and which version serves.

    DIR is a serving folder or an output root.
    """
    del quiet  # there is no progress; scripts may say so to every command
    from rich import box
    from rich.table import Table

    from fullbake.components.serving.making import all_withdrawn
    from fullbake.components.serving.pushed_models import versions

    serving_dir = find_serving_folder(directory)
    pushed = versions(serving_dir)
    withdrawn = {entry.version for entry in all_withdrawn(serving_dir)}
    if as_json:
        print_json(
            [
                _record(version, serves=version is pushed[-1], withdrawn=version.name in withdrawn)
                for version in reversed(pushed)
            ]
        )
        return
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("version", "pushed", "data", "accuracy", "macro F1", "lowest recall", ""):
        table.add_column(column)
    for version in reversed(pushed):
        table.add_row(*_row(version, serves=version is pushed[-1], withdrawn=version.name in withdrawn))
    table_console(_PIPE_WIDTH).print(table)


def _record(version: Version, *, serves: bool, withdrawn: bool) -> dict[str, Any]:
    """Returns a version as plain values: what was kept of its push, and what has become of it since."""
    from fullbake.components.serving.pushed_models import fault, read_push

    push = read_push(version.path)
    return {
        "version": version.name,
        "model": version.path,
        "serves": serves,
        "rolled_back": withdrawn,
        "fault": fault(version.path, thorough=False),
        "push": None if push is None else push.to_dict(),
    }


def _row(version: Version, *, serves: bool, withdrawn: bool) -> list[str]:
    from fullbake.components.serving.pushed_models import fault, read_push
    from fullbake.contract.results.push import Push, PushedMetrics

    push = read_push(version.path) or Push()
    metrics = push.metrics or PushedMetrics()
    recall = {label: value for label, value in metrics.recall.items() if value is not None}
    worst = min(recall, key=lambda label: recall[label], default=None)
    reason = fault(version.path, thorough=False)
    back = push.rolled_back
    notes = [
        "serves" if serves else "",
        f"version {back.to} again, rolled back from {back.source}" if back else "",
        "rolled back" if withdrawn else "",
        f"cannot be used: it {reason}" if reason else "",
    ]
    return [
        version.name,
        _local_time(push.time),
        _data(push),
        number(metrics.accuracy),
        number(metrics.macro_f1),
        "–" if worst is None else f"{recall[worst]:.3f} {worst}",
        ", ".join(note for note in notes if note),
    ]


def _data(push: Push) -> str:
    counts = push.examples
    if counts is None:
        return "–"
    rows = " + ".join(f"{counts.get(split, 0):,}" for split in (TRAIN_SPLIT, EVAL_SPLIT, TEST_SPLIT))
    # The fingerprint is long; a hash of it is enough to see which versions were made of the same files.
    files = hashlib.sha256(str(push.data).encode()).hexdigest()[:8]
    return f"{files}, {rows} rows" + (f", span {push.span}" if push.span else "")


def _local_time(stamp: str | None) -> str:
    return "–" if stamp is None else f"{datetime.datetime.fromisoformat(stamp).astimezone():%Y-%m-%d %H:%M}"

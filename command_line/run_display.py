"""The progress of a run on a cluster, for a command that waits for it."""

from __future__ import annotations

from collections.abc import Collection
from types import TracebackType

from fullbake.command_line.terminal import plain_console

_ENDED = {"FAILED": "failed after {:.1f} s", "CANCELED": "cancelled after {:.1f} s", "SKIPPED": "left out"}


class RunDisplay:
    """Prints a line as each step starts and ends, and shows what is at work: a listener of `kubeflow.waiting`.

    Args:
        quiet: Whether only what may pass is shown.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._console = plain_console(stderr=True)
        self._status = self._console.status("waiting for the first step")

    def __enter__(self) -> RunDisplay:
        if not self._quiet:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()

    def step(self, name: str, state: str, seconds: float | None) -> None:
        """Shows that a step started or ended."""
        if self._quiet:
            return
        if seconds is None:
            self._console.print(f"  {name} ...", soft_wrap=True)
        else:
            self._console.print(f"  {name}: {_ENDED.get(state, '{:.1f} s').format(seconds)}", soft_wrap=True)

    def waiting(self, running: Collection[str]) -> None:
        """Shows what is at work."""
        self._status.update(f"at work: {', '.join(running)}" if running else "waiting for the next step")

    def trouble(self, text: str) -> None:
        """Shows what may pass."""
        self._console.print(f"warning: {text}", style="yellow", soft_wrap=True)

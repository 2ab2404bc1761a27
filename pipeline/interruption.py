"""Ends a command on Ctrl-C or SIGTERM: with one line, and within seconds."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_GRACE_SECONDS = 3.0
_CLEAR = "\r\x1b[2K\x1b[?25h"  # the line of a progress display, which may have hidden the cursor
_NOTHING_CAME = b"\0"


class StoppedError(KeyboardInterrupt):
    """Raised in the main thread; libraries let it pass as they do Ctrl-C."""


class Interruption:
    """Ends the process on a signal.

    The main thread may be inside TensorFlow or Beam for minutes, and no Python code runs in it then; Beam also wraps
    what is raised through it. So a thread of its own, which Python wakes in any case, says the line, ends the process's
    children, gives the main thread some seconds to leave its `finally` blocks, and ends the process. All that is kept
    is written so that it is whole or not there, so nothing finished is lost by that.

    Attributes:
        kept: What the line says of what is kept and how to go on; may be empty.
        leftovers: Folders that are removed at the end.
    """

    def __init__(self) -> None:
        self.kept = ""
        self.leftovers: list[Path] = []
        self._told = False
        self._left = threading.Event()

    @contextlib.contextmanager
    def heeded(self) -> Iterator[None]:
        """Lets the signals end the process in this way, inside the `with` block."""
        if threading.current_thread() is not threading.main_thread():
            yield  # Python lets only the main thread set handlers
            return
        waiting, waking = os.pipe()
        os.set_blocking(waking, False)
        # The terminal as it is now: later it may be silenced, while libraries are imported.
        terminal = os.dup(2)
        watch = threading.Thread(target=self._watch, args=(waiting, terminal), daemon=True)
        before = {number: signal.signal(number, self._raise) for number in _SIGNALS}
        woken_before = signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
        watch.start()
        _ours.add(waking)
        try:
            yield
        finally:
            if self._told:
                # Whatever has become of the exception on its way here. The thread ends the process.
                self._left.set()
                watch.join()
            if waking in _ours:
                self._give_back(woken_before, before, waking, watch)
                os.close(terminal)

    @contextlib.contextmanager
    def left_to_others(self) -> Iterator[None]:
        """Leaves the signals to the code in the `with` block, which sets handlers of its own: a server's."""
        before = {number: signal.getsignal(number) for number in _SIGNALS}
        woken_before = signal.set_wakeup_fd(-1)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(woken_before, warn_on_full_buffer=False)

    def _give_back(
        self, woken_before: int, handlers: dict[signal.Signals, Any], waking: int, watch: threading.Thread
    ) -> None:
        signal.set_wakeup_fd(woken_before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        with contextlib.suppress(BrokenPipeError):  # a signal came just now
            os.write(waking, _NOTHING_CAME)
        watch.join()
        _ours.discard(waking)
        os.close(waking)

    def _raise(self, number: int, frame: FrameType | None) -> None:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        self._told = True
        _silence()
        raise StoppedError

    def _watch(self, waiting: int, terminal: int) -> None:
        with os.fdopen(waiting, "rb", buffering=0) as stream:
            heeded = {_NOTHING_CAME, *(bytes([number]) for number in _SIGNALS)}
            came = next(byte for byte in iter(lambda: stream.read(1), b"") if byte in heeded)
        if came == _NOTHING_CAME:
            return
        start = _CLEAR if os.isatty(terminal) else ""
        line = f"{start}fullbake: stopped by {signal.Signals(came[0]).name}{self.kept and ': '}{self.kept}\n"
        _silence()
        os.write(terminal, line.encode(errors="replace"))
        _end_children()
        self._left.wait(_GRACE_SECONDS)
        for folder in self.leftovers:
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(128 + came[0])


# The pipes that wake a thread of this process. A fork must not wake the thread of the process that it came from.
_ours: set[int] = set()


# Copies of stderr that are open.
_copies: set[int] = set()


@contextlib.contextmanager
def stderr_copy() -> Iterator[TextIO]:
    """Gives a stream to where stderr goes now, whatever becomes of that; silent once a signal has ended the command.

    Yields:
        The stream; stderr itself where that is no descriptor, as in a notebook.
    """
    try:
        own = sys.stderr.fileno()
    except (io.UnsupportedOperation, ValueError):
        yield sys.stderr
        return
    sys.stderr.flush()
    with os.fdopen(os.dup(own), "w", encoding="utf-8", errors="backslashreplace", buffering=1) as copy:
        _copies.add(copy.fileno())
        try:
            yield copy
        finally:
            _copies.discard(copy.fileno())


def _leave_to_parent() -> None:
    if _ours:
        signal.set_wakeup_fd(-1)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        _ours.clear()


os.register_at_fork(after_in_child=_leave_to_parent)


def _silence() -> None:
    # What is written while everything falls apart would hide the line.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for shown in (1, 2, *_copies):
        os.dup2(nowhere, shown)
    os.close(nowhere)


def _end_children() -> None:
    for file in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in file.read_text().split():
                os.kill(int(child), signal.SIGTERM)

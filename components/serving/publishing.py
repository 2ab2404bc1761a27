"""How a model is pushed, and how an earlier one is put back: one at a time, in one step, and so that nothing is lost.

Nothing heavy is imported: `fullbake rollback` is to answer at once.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType

from filelock import FileLock, Timeout

from fullbake.components.serving.file_system import file_system
from fullbake.components.serving.making import all_withdrawn, origin, same_model
from fullbake.components.serving.pushed_models import (
    HIGHEST,
    NUMBER,
    Version,
    digest,
    fault,
    is_local,
    newest_version,
    read_push,
    versions,
)
from fullbake.contract.errors import InputError
from fullbake.contract.names import PUSH_FILE
from fullbake.contract.results.push import Push, PushedFile, RolledBack, Withdrawal

LOCK_FILE = ".push.lock"

NO_FILES: Mapping[str, str] = MappingProxyType({})

_UNFINISHED = re.compile(r"\.\s*[+-]?[0-9]+\s*\.unfinished")
# Copying a model takes seconds; a lock held longer than this is not one that a push is about to let go.
_LOCK_SECONDS = 600


class ServingVersionChangedError(Exception):
    """Another version serves than when the model that was to be pushed was judged."""


@contextmanager
def sole_pusher(serving_dir: str) -> Iterator[None]:
    """Makes the push destination and keeps other pushes and rollbacks away from it.

    A bucket has no locks; there, what is checked right before a model takes its place is all there is.

    Raises:
        InputError: The folder cannot be made or locked, or another push does not end.
    """
    files = file_system(serving_dir)
    if not is_local(serving_dir):
        files.make(serving_dir)
        yield
        return
    try:
        files.make(serving_dir)
        lock = FileLock(os.path.join(serving_dir, LOCK_FILE)).acquire(timeout=_LOCK_SECONDS)
    except Timeout as error:
        raise InputError(
            "another run has been pushing to {folder} for {minutes} minutes; wait until it is done, and run again",
            field="serving_dir",
            folder=serving_dir,
            minutes=_LOCK_SECONDS // 60,
        ) from error
    except OSError as error:
        raise InputError(
            "{folder} cannot be written to: {reason}; name a folder that can",
            field="serving_dir",
            folder=serving_dir,
            reason=error.strerror,
        ) from error
    with lock:
        # Nobody else is writing: what is unfinished was left by a push that was killed.
        for name in files.names(serving_dir):
            if _UNFINISHED.fullmatch(name):
                files.remove(os.path.join(serving_dir, name))
        yield


def publish(
    serving_dir: str,
    model: str,
    push: Push,
    *,
    more: Mapping[str, str] = NO_FILES,
    unchanged: Callable[[], bool] = lambda: True,
) -> str:
    """Copies a model to the push destination; it appears under its number only when it is complete.

    Args:
        serving_dir: The push destination, which `sole_pusher` holds.
        model: The SavedModel's folder.
        push: What is to be written down of it; `version`, `time` and `files` are added.
        more: By path below the model's folder, the texts of files that it gets beside its own.
        unchanged: Asked when the copy is complete, right before it gets its number.

    Returns:
        Where it is.

    Raises:
        ServingVersionChangedError: The version that serves was no longer `unchanged`; nothing was pushed.
        InputError: It cannot be copied, or there is no higher number left.
    """
    files = file_system(serving_dir)
    # Never lower than what is there: servers take the highest number for the newest model.
    number = max([int(time.time()), *(version.number + 1 for version in versions(serving_dir))])
    if number > HIGHEST:
        raise InputError(
            "{version} has the highest number there is; move it away",
            field="serving_dir",
            version=newest_version(serving_dir),
        )
    destination = os.path.join(serving_dir, str(number))
    # Servers look at numbers only, so they do not see the copy until it is renamed.
    unfinished = os.path.join(serving_dir, f".{number}.unfinished")
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    note = push.model_copy(update={"version": str(number), "time": now, "files": _contents(model, more)})
    try:
        files.copy(model, unfinished)
        for name, text in more.items():
            files.write(os.path.join(unfinished, name), text)
        files.write(os.path.join(unfinished, PUSH_FILE), note.to_json())
        files.make_readable(unfinished)
        if not unchanged():
            raise ServingVersionChangedError
        files.rename(unfinished, destination)
    except BaseException as error:
        # The next push has another number: in a bucket, what is left here would stay for good.
        if files.is_folder(unfinished):
            files.remove(unfinished)
        if isinstance(error, OSError):
            raise InputError(
                "the model cannot be copied to {folder}, and what was in production stays there: {reason}; make room "
                "or fix the folder, and try again",
                field="serving_dir",
                folder=serving_dir,
                reason=error.strerror or str(error),
            ) from error
        raise
    return destination


def remove_old(serving_dir: str, keep: int) -> list[str]:
    """Removes all but the newest versions that fullbake pushed.

    What served until the newest came always stays: a server may be answering from it. What something else
    put there is not removed.

    Args:
        serving_dir: The push destination, which `sole_pusher` holds.
        keep: How many to keep.

    Returns:
        The names of those that were removed.
    """
    files = file_system(serving_dir)
    ours = [version for version in versions(serving_dir) if read_push(version.path)]
    stay = {version.path for version in ours[-keep:]}
    if ours and (newest := read_push(ours[-1].path)):
        stay.add(os.path.join(serving_dir, str(newest.replaced)))
    removed = [version for version in ours if version.path not in stay]
    for version in removed:
        aside = os.path.join(serving_dir, f".{version.name}.unfinished")
        if is_local(serving_dir):
            # In one step, so that nobody finds a version of which half is gone.
            files.rename(version.path, aside)
            files.remove(aside)
        else:
            files.remove(version.path)
    return [version.name for version in removed]


def rollback(serving_dir: str, wanted: str | None) -> tuple[str, str]:
    """Puts an earlier version back, as a copy under a number that is higher than any.

    Servers load the highest number, so that is the one way in which no server is ever without a model and nothing is
    lost: what was rolled back from stays where it is. Its making is noted, and no run makes the same model again.

    Args:
        serving_dir: The push destination.
        wanted: A version's name; None: the one that served before, or if the one that serves was rolled back to, the
            one before that.

    Returns:
        The version that was put back, and where it is now.

    Raises:
        InputError: There is no such version, it serves already, or it cannot be used.
    """
    with sole_pusher(serving_dir):
        pushed = versions(serving_dir)
        if not pushed:
            raise InputError(f"rollback: there is no version in {serving_dir}; name a serving folder or an output root")
        current = pushed[-1]
        target = _named(pushed, wanted) if wanted is not None else _before(pushed)
        if same_model(serving_dir, origin(target.path)):
            raise InputError(f"rollback: version {target.name} is what serves already, as {current.path}")
        if reason := fault(target.path):
            raise InputError(
                f"rollback: {target.path} {reason}; name another version, see: fullbake models {serving_dir}"
            )
        push = read_push(target.path) or Push()
        # Of those that are whole: what is only damaged may be made anew.
        taken_back = [
            Withdrawal(version=version.name, recipe=note.recipe, data=note.data)
            for version in pushed
            if version.number > target.number
            and (note := read_push(version.path))
            and note.rolled_back is None
            and fault(version.path) is None
        ]
        changes = {
            "rolled_back": RolledBack(to=origin(target.path), source=current.name),
            "replaced": current.name,
            "withdrawn": still_withdrawn([*all_withdrawn(serving_dir), *taken_back], push.recipe, push.data),
        }
        return target.name, publish(serving_dir, target.path, push.model_copy(update=changes))


def still_withdrawn(entries: Sequence[Withdrawal], recipe: str | None, data: str | None) -> tuple[Withdrawal, ...]:
    """Returns what stays withdrawn when a model of this making is pushed: all but that making."""
    others = {(entry.recipe, entry.data): entry for entry in entries}
    others.pop((recipe, data), None)
    return tuple(others.values())


def _named(pushed: Sequence[Version], wanted: str) -> Version:
    for version in pushed:
        if version.name == wanted:
            return version
    raise InputError(f"rollback: there is no version {wanted!r}; there are {', '.join(v.name for v in pushed)}")


def _before(pushed: Sequence[Version]) -> Version:
    began = origin(pushed[-1].path)
    number = int(began) if NUMBER.fullmatch(began) else pushed[-1].number
    for version in reversed(pushed):
        if version.number < number and fault(version.path) is None:
            return version
    raise InputError(f"rollback: there is no usable version before {began}; name one, or push a new model")


def _contents(model: str, more: Mapping[str, str]) -> dict[str, PushedFile]:
    sizes = file_system(model).sizes(model)
    contents = {
        name: PushedFile(bytes=size, sha256=digest(model, name) if is_local(model) else None)
        for name, size in sizes.items()
        if name != PUSH_FILE
    }
    for name, text in more.items():
        written = text.encode()
        contents[name] = PushedFile(bytes=len(written), sha256=hashlib.sha256(written).hexdigest())
    return dict(sorted(contents.items()))

"""Which recipe made a pushed model of which data: so that nothing is made twice, and no rollback undone.

Nothing heavy is imported: `fullbake models` is to answer at once.
"""

from __future__ import annotations

import os

from fullbake.components.serving.pushed_models import fault, newest_version, read_push, versions
from fullbake.contract.results.push import Push, Withdrawal

NOTHING = "nothing"
"""What a model is judged against where nothing was pushed yet."""


def made_of(serving_dir: str, recipe: str, fingerprint: str) -> str | None:
    """Returns the version that serves, if this recipe made it of this very data and it is whole; None otherwise.

    Args:
        serving_dir: The push destination.
        recipe: A fingerprint of all that decides which model a run makes.
        fingerprint: ExampleGen's, of the files.
    """
    newest = newest_version(serving_dir)
    push = None if newest is None else read_push(newest)
    if newest is None or push is None or not same_making(push, recipe, fingerprint):
        return None
    return newest if fault(newest) is None else None


def withdrawn(serving_dir: str, recipe: str, fingerprint: str) -> str | None:
    """Returns the version of this recipe and data that a rollback took back, or None.

    Making it once more would undo the rollback without a word.
    """
    entries = all_withdrawn(serving_dir)
    return next((entry.version for entry in entries if same_making(entry, recipe, fingerprint)), None)


def all_withdrawn(serving_dir: str) -> tuple[Withdrawal, ...]:
    """Returns what rollbacks took back and nothing has put back since.

    The newest note has it all; what something else put there has none.
    """
    notes = (read_push(version.path) for version in reversed(versions(serving_dir)))
    return next((note.withdrawn for note in notes if note is not None), ())


def why_withdrawn(serving_dir: str, version: str) -> str:
    """Returns a sentence on why such a model is not pushed, and how it would be."""
    return (
        f"version {version}, made of the same files in the same way, was rolled back, and "
        f"{newest_version(serving_dir)} stays in production; to put it back: fullbake rollback {serving_dir} {version}"
    )


def baseline_key(serving_dir: str, recipe: str) -> str:
    """Returns a name of what a new model is judged against, for the cache keys of what judges and pushes.

    A version that serves because this very recipe made and pushed it does not make its own verdict stale; any other
    does.

    Args:
        serving_dir: The push destination.
        recipe: A fingerprint of all that decides which model a run makes.

    Returns:
        The name of the version that serves; if this recipe made it, the key it was pushed with; `NOTHING` if there is
        none.
    """
    newest = newest_version(serving_dir)
    if newest is None:
        return NOTHING
    push = read_push(newest)
    own = f"version {os.path.basename(newest)}"
    return own if push is None or push.recipe != recipe else push.production_key or own


def same_model(serving_dir: str, version: str) -> bool:
    """Returns whether what serves is this version, or the copy of it that a rollback made, and is whole."""
    newest = newest_version(serving_dir)
    if newest is None or fault(newest) is not None:
        return False
    return version in (os.path.basename(newest), origin(newest))


def origin(model: str) -> str:
    """Returns the version whose copy a rollback made of this model, or the model's own version."""
    push = read_push(model)
    return push.rolled_back.to if push is not None and push.rolled_back is not None else os.path.basename(model)


def same_making(note: Push | Withdrawal, recipe: str | None, fingerprint: str | None) -> bool:
    """Returns whether a note says that this recipe made a model of this very data."""
    return (note.recipe, note.data) == (recipe, fingerprint)

"""The folders of TensorBoard's logs that a run's trainings left."""

from __future__ import annotations

from pathlib import Path

from ml_metadata.metadata_store.metadata_store import MetadataStore

from fullbake.contract.errors import InputError
from fullbake.pipeline.store import METADATA_FILE, open_store

_EVENTS = "events.out.tfevents.*"


def training_logs(run: Path) -> dict[str, str]:
    """Finds the logs of a run's trainings, those that it found in the cache too.

    Args:
        run: An output root, or the folder of one of its runs in `reports/`.

    Returns:
        By component, Trainer or Pretrainer, its folder of logs. Of an output root, those of the newest run that has
        any.

    Raises:
        InputError: It is neither, or nothing was trained.
    """
    root, name = run, None
    if not (root / METADATA_FILE).is_file() and run.absolute().parent.name == "reports":
        root, name = run.absolute().parent.parent, run.absolute().name
    if not (root / METADATA_FILE).is_file():
        raise InputError(f"RUN: {run} is no output root (it has no {METADATA_FILE}), and no run's folder in reports/")
    store = open_store(root)
    contexts = sorted(store.get_contexts_by_type("pipeline_run"), key=lambda context: context.id, reverse=True)
    for context in contexts:
        # A run that judged once more has a second name, which begins with the first.
        if name in (None, context.name.partition(",")[0]) and (found := _logs(store, context.id)):
            return found
    raise InputError(f"RUN: nothing was trained in {run} yet, or its logs are gone; run the pipeline first")


def _logs(store: MetadataStore, context: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for artifact in sorted(store.get_artifacts_by_context(context), key=lambda artifact: artifact.id):
        folder = Path(artifact.uri)
        if artifact.type == "ModelRun" and any(folder.rglob(_EVENTS)):
            found[folder.parent.parent.name] = str(folder)  # .../<component>/model_run/<execution>
    return found

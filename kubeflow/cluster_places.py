"""Where a pipeline keeps things on a cluster."""

from __future__ import annotations

import posixpath
from pathlib import Path

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.outline import Places

# What a new model is judged against. On a laptop it is a key of the cache, which a cluster has none of.
PRODUCTION = "the newest in the push destination"


def cluster_places(config: Config) -> Places:
    """Returns the places where the pipeline keeps things on the cluster.

    Artifacts are where Kubeflow says, run by run; checkpoints and vectors are on the volume, if there is one, so that a
    training that is retried goes on where it was.
    """
    volume = config.kubeflow.volume

    def kept(kind: str) -> str | None:
        return posixpath.join(volume.mount_path, kind, config.name) if volume else None

    return Places(
        pipeline_root="",
        serving_dir=config.push.serving_dir or "",
        checkpoints=kept("checkpoints"),
        vectors=kept("vectors"),
    )


def training_folder(config: Config, name: str) -> Path:
    """Returns the folder on the volume for what the workers of a training share.

    Raises:
        InputError: There is no volume.
    """
    if config.kubeflow.volume is None:
        raise InputError("kubeflow.resources: workers find data and checkpoints on a volume; set kubeflow.volume")
    return Path(config.kubeflow.volume.mount_path, "training", name)

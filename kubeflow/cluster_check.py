"""What a config must say for a pipeline to work on a cluster; checked without TFX."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from fullbake.contract.errors import InputError
from fullbake.kubeflow.carried_config import carried_config
from fullbake.kubeflow.cluster_places import training_folder
from fullbake.kubeflow.cron import parse_cron
from fullbake.kubeflow.executor_platform import SHARED_MEMORY
from fullbake.kubeflow.pipeline_name import pipeline_name
from fullbake.pipeline.beam_engine import distributed_runner
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.config.kubeflow_config import KubeflowConfig
from fullbake.pipeline.config.redaction import has_password, hide_arguments, names_a_secret
from fullbake.pipeline.outline import component_names
from fullbake.pipeline.output_file import check_output
from fullbake.pipeline.preflight import check_bounds
from fullbake.trainer.approaches import APPROACHES

# Kubeflow's launcher copies artifacts from and to these by itself.
ARTIFACT_SCHEMES = ("minio://", "s3://", "gs://")
# Of those, the one that TensorFlow and Beam can read and write without it.
DATA_SCHEME = "gs://"

# Folders of a step's pod that are the launcher's own: backend/src/v2/compiler/argocompiler/container.go.
_MOUNTED = ("/kfp-launcher", "/gcs", "/s3", "/minio", "/.local", "/.cache", "/.config", SHARED_MEMORY)

TRAIN_TOGETHER = ("Pretrainer", "Trainer")
"""The components whose work several pods can do together."""

# Packed. The variable by which the driver gets the pipeline holds it four times, and has room for 131,072 bytes; a
# third of that is the pipeline itself. `kubeflow.package_check.root_driver_bytes` counts to the byte, after compiling.
_MAX_CONFIG_BYTES = 20_000


def check_cluster(config: Config) -> None:
    """Checks for everything that a container could not find or do.

    Raises:
        InputError: No image, no bound for the gate, a folder that is on this machine only, a name, a schedule or a
            component that is none, workers that cannot be, mounts or variables in each other's way, or more labels than
            a package can carry.
    """
    if not pipeline_name(config)[-1].isalnum():
        raise InputError(f"name: {config.name!r} must end with a letter or a digit to name a workflow of Kubernetes")
    if config.kubeflow.image is None:
        raise InputError(
            "kubeflow.image: missing; name the image that was built from kubeflow/Dockerfile, with its registry and tag"
        )
    check_bounds(config)
    _check_folder(config, "data.input_base", config.data.input_base)
    if config.data.test_base is not None:
        _check_folder(config, "data.test_base", config.data.test_base)
    if config.pretraining.corpus_base is not None and APPROACHES[config.model.approach].pretrains:
        _check_folder(config, "pretraining.corpus_base", config.pretraining.corpus_base)
    if config.push.serving_dir is None:
        raise InputError(
            "push.serving_dir: missing; on a cluster nothing is kept beside the run: name a folder on the volume "
            "(kubeflow.volume) or in a bucket (gs://...)"
        )
    _check_folder(config, "push.serving_dir", config.push.serving_dir)
    _check_base(config)
    root = config.kubeflow.pipeline_root
    if root is not None and not root.startswith(ARTIFACT_SCHEMES):
        raise InputError(
            f"kubeflow.pipeline_root: {root!r} is not a bucket that Kubeflow's launcher knows; "
            f"begin it with {', '.join(ARTIFACT_SCHEMES)}, or leave it out for the cluster's own"
        )
    runner = distributed_runner(config.beam.args)
    if runner is not None and not (root or "").startswith(DATA_SCHEME):
        raise InputError(
            f"beam.args: the workers of {runner} see no folder of a step's container; set kubeflow.pipeline_root to a "
            f"bucket that begins with {DATA_SCHEME}, which they read and write themselves"
        )
    names = component_names(config)
    unknown = sorted(set(config.kubeflow.resources) - set(names))
    if unknown:
        raise InputError(
            f"kubeflow.resources: {unknown[0]!r} is no component of this pipeline; they are {', '.join(names)}"
        )
    _check_workers(config)
    _check_mounts_and_variables(config.kubeflow)
    if config.kubeflow.schedule.cron is not None:
        parse_cron(config.kubeflow.schedule.cron, "kubeflow.schedule.cron")
    size = len(carried_config(config))
    if size > _MAX_CONFIG_BYTES:
        raise InputError(
            f"the config has {size:,} bytes, packed, and a package can carry {_MAX_CONFIG_BYTES:,}; "
            "shorten data.labels or data.label_map"
        )


def exposed_secrets(config: Config) -> list[str]:
    """Returns a sentence for each value that looks like a secret, and can be read by all who may see the pipeline."""
    seen = "everybody who may see the pipeline can read it in the package"
    found = [
        f"kubeflow.env.{name}: {seen}; put it into a secret of Kubernetes, and name that in kubeflow.secret_env"
        for name, value in config.kubeflow.env.items()
        if names_a_secret(name) or has_password(value)
    ]
    if hide_arguments(config.beam.args) != list(config.beam.args):
        found.append(f"beam.args: it has a password or the like, and {seen}; give it to the workers' image instead")
    return found


def ignored_settings(config: Config) -> list[str]:
    """Returns a sentence for each setting that does nothing on a cluster."""
    if config.tracking.mlflow_uri is None:
        return []
    return ["tracking.mlflow_uri: only runs on one machine, of fullbake run, are logged; those on the cluster are not"]


def check_package_file(file: Path) -> None:
    """Checks that a package can be written.

    Raises:
        InputError: The file is not named `*.yaml`, by which the kfp client goes, or cannot be written.
    """
    if file.suffix not in (".yaml", ".yml"):
        raise InputError(f"--output: {file} must be named *.yaml, or Kubeflow's client does not take it")
    check_output(file, "--output")


def _check_folder(config: Config, key: str, folder: str) -> None:
    if folder.startswith(DATA_SCHEME):
        return
    if "://" in folder:
        raise InputError(
            f"{key}: {folder!r} cannot be read by TensorFlow in a container; name a folder on the volume "
            f"(kubeflow.volume) or in a bucket that begins with {DATA_SCHEME}"
        )
    volume = config.kubeflow.volume
    if volume is None:
        raise InputError(
            f"{key}: {folder!r} is a path, and the containers have no volume; set kubeflow.volume, or name a bucket "
            f"({DATA_SCHEME}...)"
        )
    mount = PurePosixPath(volume.mount_path)
    if not PurePosixPath(posixpath.normpath(folder)).is_relative_to(mount):
        raise InputError(
            f"{key}: {folder!r} is not on the volume; name a folder below {volume.mount_path} "
            f"(kubeflow.volume.mount_path) or a bucket ({DATA_SCHEME}...)"
        )


def _check_workers(config: Config) -> None:
    for component, own in config.kubeflow.resources.items():
        if own.workers is None:
            continue
        where = f"kubeflow.resources.{component}.workers"
        if component not in TRAIN_TOGETHER:
            raise InputError(f"{where}: only {' and '.join(TRAIN_TOGETHER)} can have several; leave it out")
        training_folder(config, component)
        if own.workers > 1 and config.training.distribution not in ("auto", "multi_worker"):
            raise InputError(
                f"{where}: training.distribution is {config.training.distribution}, which is of one node; "
                "set it to auto or multi_worker"
            )


def _check_mounts_and_variables(kubeflow: KubeflowConfig) -> None:
    if twice := _repeated(mount.secret for mount in kubeflow.secret_mounts):
        raise InputError(
            f"kubeflow.secret_mounts: {twice!r} is there twice, and a pod would have two volumes of one name, which "
            "Kubernetes refuses; mount it once"
        )
    paths = [posixpath.normpath(mount.mount_path) for mount in kubeflow.secret_mounts]
    if kubeflow.volume:
        paths.append(posixpath.normpath(kubeflow.volume.mount_path))
    if taken := sorted({*paths} & {*_MOUNTED}):
        raise InputError(
            f"kubeflow: mount_path {taken[0]!r} is where Kubeflow's launcher mounts folders of its own; take another"
        )
    if twice := _repeated(paths):
        raise InputError(f"kubeflow: two mounts have the mount_path {twice!r}; give each a folder of its own")
    if both := sorted({*kubeflow.env} & {*kubeflow.secret_env}):
        raise InputError(
            f"kubeflow.env.{both[0]}: kubeflow.secret_env has it, too; leave the one out that is not meant"
        )


def _repeated(names: Iterable[str]) -> str | None:
    return next((name for name, times in sorted(Counter(names).items()) if times > 1), None)


def _check_base(config: Config) -> None:
    base = config.model.base
    if not base.startswith(("/", "./", "../", "~")):
        return  # a hub id or a package: both are in the image
    volume = config.kubeflow.volume
    if volume is None or not PurePosixPath(posixpath.normpath(base)).is_relative_to(volume.mount_path):
        raise InputError(
            f"model.base: {base!r} is a folder of this machine, which a container does not see; put it on the volume "
            "(kubeflow.volume), or name a model of the hub or a package: that is in the image"
        )

"""Whether this machine can have the devices that a config asks for. Quick: it needs no TensorFlow."""

from __future__ import annotations

import glob
import os

from fullbake.contract.errors import InputError
from fullbake.trainer.devices.worker_cluster import EXAMPLE, VARIABLE, configured_workers

# Where Linux shows the devices: of NVIDIA, AMD and Microsoft's subsystem; of Google.
_GPU_FILES = ("/dev/nvidia[0-9]*", "/dev/kfd", "/dev/dxg")
_TPU_FILES = ("/dev/accel*", "/dev/vfio/[0-9]*")
_TPU_VARIABLES = ("TPU_NAME", "TPU_WORKER_ID")


def no_gpu() -> InputError:
    """Returns the error where GPUs are asked for and there are none."""
    return InputError("mirrored needs GPUs, and this machine shows none; set it to auto or none", field="distribution")


def no_workers() -> InputError:
    """Returns the error where several workers are asked for and none is named."""
    return InputError(
        "multi_worker needs {variable} in the environment, naming this worker and the others: {example}",
        field="distribution",
        variable=VARIABLE,
        example=EXAMPLE,
    )


def check_local_devices(distribution: str) -> None:
    """Raises InputError where a run on this machine cannot be distributed as asked; see `choose_strategy`.

    TensorFlow looks again for what passes here: a device file alone is no driver.

    Args:
        distribution: See `choose_strategy`.
    """
    if distribution == "mirrored" and not _any(_GPU_FILES):
        raise no_gpu()
    if distribution == "tpu" and not (_any(_TPU_FILES) or any(os.environ.get(name) for name in _TPU_VARIABLES)):
        raise InputError(
            "tpu needs a TPU, and this machine shows none (no TPU_NAME, no /dev/accel*); set it to auto",
            field="distribution",
        )
    if distribution in ("auto", "multi_worker"):
        cluster = configured_workers()
        if cluster is None and distribution == "multi_worker":
            raise no_workers()
        if cluster is not None and len(cluster.addresses) > 1:
            raise InputError(
                "several workers ({variable}) must meet before TensorFlow is used, and here other components run "
                "before in the same process; that is for a cluster, where each has a container of its own; take "
                "mirrored or none here",
                field="distribution",
                variable=VARIABLE,
            )


def _any(patterns: tuple[str, ...]) -> bool:
    return any(glob.glob(pattern) for pattern in patterns)

"""Where training runs: the distribution strategy and the numeric precision that fit the machine."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import tensorflow as tf

from fullbake.contract.errors import InputError
from fullbake.trainer.devices.local_devices import no_gpu, no_workers
from fullbake.trainer.devices.precision import POLICIES, choose_precision
from fullbake.trainer.devices.worker_cluster import configured_workers
from fullbake.trainer.windows import Windows

_POLICY_FILE = "precision"  # beside the checkpoints


@dataclass(frozen=True)
class Placement:
    """Where and in which arithmetic a training runs.

    Attributes:
        strategy: Holds variables, batches, metrics and checkpoints.
        found: A sentence on the devices.
        policy: The Keras policy, such as `mixed_bfloat16`.
        policy_reason: Why it is that one.
    """

    strategy: tf.distribute.Strategy
    found: str
    policy: str
    policy_reason: str

    def __str__(self) -> str:
        return f"{self.found}, in {self.policy} ({self.policy_reason})"

    @property
    def static_shapes(self) -> bool:
        """Whether all batches must have one shape."""
        return isinstance(self.strategy, tf.distribute.TPUStrategy)

    def as_begun(self, folder: Path | None) -> Placement:
        """Keeps the policy of a training that goes on: one that is measured may come out otherwise the next time.

        Args:
            folder: Where the training's checkpoints are kept; None: it keeps none.

        Raises:
            InputError: Nothing can be kept there.
        """
        if folder is None:
            return self
        file = folder / _POLICY_FILE
        kept = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
        if kept in POLICIES:
            return self if kept == self.policy else replace(self, policy=kept, policy_reason="as it was begun")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file.write_text(self.policy, encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"{folder}: checkpoints cannot be kept there ({error.strerror}); free some space"
            ) from error
        return self

    def check_accumulation(self, section: str, steps: int) -> None:
        """Raises InputError where the batches of one optimiser step, set in a section, cannot be added up."""
        if steps > 1 and self.static_shapes:
            raise InputError(
                f"{{steps}} is not possible on a TPU; leave it out and set {{{section}_batch_size}} to all rows of a "
                "step",
                field=f"{section}_gradient_accumulation_steps",
                steps=steps,
            )

    def check_windows(self, windows: Windows | None) -> None:
        """Raises InputError where rows are read in windows, and all batches must have one shape."""
        if windows is not None and self.static_shapes:
            raise InputError(
                "windows are not possible on a TPU, whose batches have one shape, and texts have few windows or many; "
                "use head or head_tail, or train elsewhere",
                field="truncation",
            )


def choose_placement(distribution: str, precision: str, base: Path) -> Placement:
    """Finds the devices and the precision that a config asks for; see `choose_strategy` and `choose_precision`."""
    strategy, found = choose_strategy(distribution)
    return Placement(strategy, found, *choose_precision(precision, strategy, base))


def choose_strategy(distribution: str) -> tuple[tf.distribute.Strategy, str]:
    """Makes the strategy that a config asks for.

    Args:
        distribution: `auto` takes a TPU if there is one, else `TF_CONFIG`'s workers, else all GPUs if there are
            several, else the one device; `none` is that one device; `mirrored` all GPUs of this machine (its logical
            CPUs, if it has no GPU and several of them); `multi_worker` the workers that `TF_CONFIG` names; `tpu` the
            TPU.

    Returns:
        The strategy and a sentence that says what was found.

    Raises:
        InputError: What was asked for is not there.
    """
    # Physical devices: listing logical ones starts TensorFlow, and then no other worker can be met any more.
    gpus = tf.config.list_physical_devices("GPU")
    if distribution == "auto":
        distribution = _best_distribution(len(gpus))
    if distribution == "tpu":
        return _tpu_strategy()
    if distribution == "multi_worker":
        cluster = configured_workers()
        if cluster is None:
            raise no_workers()
        cluster.meet()
        try:
            strategy = tf.distribute.MultiWorkerMirroredStrategy()
        except RuntimeError as error:
            raise InputError(
                "multi_worker must come first in a process, and here other components ran before; it is for a "
                "cluster, where each runs in a container of its own; use mirrored or none here",
                field="distribution",
            ) from error
        return strategy, f"{len(cluster.addresses)} workers named by TF_CONFIG"
    if distribution == "mirrored":
        devices = tf.config.list_logical_devices("GPU" if gpus else "CPU")
        kind = "GPU" if gpus else "CPU"
        if not gpus and len(devices) == 1:
            raise no_gpu()
        # TensorFlow's own choice for CPUs, collective ops, gets out of step when a process trains a second model (2.16:
        # "Shape mismatch in the collective instance"); for GPUs it is NCCL.
        reduction = None if gpus else tf.distribute.ReductionToOneDevice()
        strategy = tf.distribute.MirroredStrategy([device.name for device in devices], cross_device_ops=reduction)
        return strategy, f"{len(devices)} mirrored {kind}{'s' if len(devices) != 1 else ''}"
    return tf.distribute.get_strategy(), "one GPU" if gpus else "one CPU device"


def _best_distribution(gpus: int) -> str:
    if os.environ.get("TPU_NAME") or os.environ.get("TPU_WORKER_ID") or tf.config.list_physical_devices("TPU"):
        return "tpu"
    cluster = configured_workers()
    if cluster is not None and len(cluster.addresses) > 1:
        return "multi_worker"
    return "mirrored" if gpus > 1 else "none"


def _tpu_strategy() -> tuple[tf.distribute.Strategy, str]:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect()
    except (ValueError, tf.errors.OpError) as error:
        reason = str(error).splitlines()[0]
        raise InputError("tpu: no TPU was found ({reason}); use auto", field="distribution", reason=reason) from error
    strategy = tf.distribute.TPUStrategy(resolver)
    return strategy, f"a TPU of {strategy.num_replicas_in_sync} cores"

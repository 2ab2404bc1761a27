"""The arithmetic of a training: float32, or a mix of it with a 16-bit type where that is faster."""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
import tf_keras

from fullbake.contract.setting_names import setting_names
from fullbake.trainer.encoder.transformers_encoder import TransformersEncoder

POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")
# What Linux calls the instructions that multiply bfloat16: of Intel and AMD (`avx_ne_convert`: bfloat16 on AVX2), and
# of ARM (arch/x86/include/asm/cpufeatures.h, arch/arm64/kernel/cpuinfo.c). Without them it is emulated.
CPUINFO = Path("/proc/cpuinfo")
BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "avx_ne_convert", "bf16"})
# What bfloat16 must win before it is taken for its eight bits of mantissa.
LEAST_SPEEDUP = 1.1
# Rows and tokens of the steps that are measured: a batch of middling length.
TRIAL_SHAPE = (16, 64)
TRIAL_REPEATS = 5


def choose_precision(precision: str, strategy: tf.distribute.Strategy, base: Path) -> tuple[str, str]:
    """Chooses the Keras policy (`float32`, `mixed_bfloat16` or `mixed_float16`), and says why in a few words.

    Args:
        precision: `float32`, `bfloat16` or `float16`; or `auto`, which is bfloat16 on TPUs and on GPUs of compute
            capability 8 and above, float16 with loss scaling on those of 7
            (https://www.tensorflow.org/guide/mixed_precision), and on a processor that multiplies bfloat16 what a few
            training steps show to be faster; float32 on anything else.
        strategy: What training runs on.
        base: The folder of the base model; a layer of it is what is measured.
    """
    if precision != "auto":
        return precision if precision == "float32" else f"mixed_{precision}", "as configured"
    if isinstance(strategy, tf.distribute.TPUStrategy):
        return "mixed_bfloat16", "a TPU's own arithmetic"
    if gpus := tf.config.list_physical_devices("GPU"):
        return _of_gpus(
            min(tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0)) for gpu in gpus)
        )
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        # Each would measure for itself, and two might disagree.
        return "float32", f"several workers must not differ; {setting_names()['mixed_precision']} may name another"
    if not multiplies_bfloat16(_cpuinfo()):
        return "float32", "this processor has no bfloat16"
    return choose_by_speed(bfloat16_speedup(base))


def choose_by_speed(speedup: float) -> tuple[str, str]:
    """Chooses the policy for a processor on which bfloat16 is so many times as fast as float32, and says why."""
    policy = "mixed_bfloat16" if speedup >= LEAST_SPEEDUP else "float32"
    return policy, f"measured: bfloat16 is {speedup:.2f} times as fast as float32"


def multiplies_bfloat16(cpuinfo: str) -> bool:
    """Whether a processor multiplies bfloat16, by the text of Linux's `/proc/cpuinfo`."""
    return any(
        line.partition(":")[0].strip() in ("flags", "Features") and BFLOAT16_FLAGS & set(line.split())
        for line in cpuinfo.splitlines()
    )


# Once for a base in a process: trainings of it that are compared with each other must not differ in it.
@functools.lru_cache
def bfloat16_speedup(base: Path) -> float:
    """Measures how many times as fast as in float32 one layer of an encoder trains in bfloat16 on this processor.

    All layers of an encoder have the same shape, and a step does little else than compute them.

    Args:
        base: The encoder's folder; its weights are not read.
    """
    steps = {policy: _trial_step(base, policy) for policy in ("float32", "mixed_bfloat16")}
    seconds: dict[str, list[float]] = {policy: [] for policy in steps}
    # In turn, so that a busy spell meets both; the first of each builds its graph.
    for repeat in range(1 + TRIAL_REPEATS):
        for policy, step in steps.items():
            started = time.perf_counter()
            step()
            if repeat:
                seconds[policy].append(time.perf_counter() - started)
    return statistics.median(seconds["float32"]) / statistics.median(seconds["mixed_bfloat16"])


def set_precision(policy: str) -> None:
    """Makes this Keras policy the one under which layers are built from now on."""
    tf_keras.mixed_precision.set_global_policy(policy)


def _of_gpus(capability: tuple[int, int]) -> tuple[str, str]:
    why = f"compute capability {capability[0]}.{capability[1]}"
    if capability >= (8, 0):
        return "mixed_bfloat16", why
    return ("mixed_float16" if capability >= (7, 0) else "float32"), why


def _cpuinfo() -> str:
    return CPUINFO.read_text(encoding="utf-8") if CPUINFO.exists() else ""


def _trial_step(base: Path, policy: str) -> Callable[[], None]:
    set_precision(policy)
    try:
        encoder = TransformersEncoder.one_layer(base)
    finally:
        set_precision("float32")
    ids = tf.ones(TRIAL_SHAPE, tf.int32)
    inputs = {"input_ids": ids, "attention_mask": ids}

    @tf.function(autograph=False)
    def gradients() -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(tf.cast(encoder.hidden_states(inputs, training=True), tf.float32)))
        found = tape.gradient(loss, encoder.trainable_variables)
        return tf.add_n([tf.reduce_sum(gradient) for gradient in found if isinstance(gradient, tf.Tensor)])

    return lambda: gradients().numpy()

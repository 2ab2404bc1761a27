from pathlib import Path

import pytest
import tensorflow as tf
import tf_keras

from fullbake.trainer.devices import precision
from fullbake.trainer.devices.precision import bfloat16_speedup, choose_by_speed, choose_precision, multiplies_bfloat16

XEON = "processor\t: 0\nmodel name\t: any bf16\nflags\t\t: fpu sse2 avx2 avx512f avx512_bf16\npower management:\n"


@pytest.mark.parametrize(
    ("asked", "policy"), [("float32", "float32"), ("bfloat16", "mixed_bfloat16"), ("float16", "mixed_float16")]
)
def test_a_precision_that_is_asked_for_is_taken(asked: str, policy: str, base: Path):
    assert choose_precision(asked, tf.distribute.get_strategy(), base) == (policy, "as configured")


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        (XEON, True),
        (XEON.replace("avx512_bf16", "avx512_vnni"), False),
        ("Features\t: fp asimd bf16 i8mm\n", True),
        ("Features\t: fp asimd\n", False),
        ("", False),
    ],
)
def test_a_processor_is_known_by_its_flags(cpuinfo: str, expected: bool):
    assert multiplies_bfloat16(cpuinfo) is expected


def set_cpuinfo(monkeypatch: pytest.MonkeyPatch, file: Path, text: str) -> None:
    """Has this machine's processor described by a file of ours."""
    file.write_text(text, encoding="utf-8")
    monkeypatch.setattr(precision, "CPUINFO", file)


def test_a_processor_without_bfloat16_is_not_asked_to_prove_it(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("this machine has a GPU")
    set_cpuinfo(monkeypatch, tmp_path / "cpuinfo", "flags\t\t: avx2\n")
    monkeypatch.setattr(precision, "bfloat16_speedup", lambda base: pytest.fail("it was measured"))
    found = choose_precision("auto", tf.distribute.get_strategy(), base)
    assert found == ("float32", "this processor has no bfloat16")


def test_a_processor_with_bfloat16_is_measured_and_the_faster_arithmetic_taken(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("this machine has a GPU")
    set_cpuinfo(monkeypatch, tmp_path / "cpuinfo", XEON)
    policy, why = choose_precision("auto", tf.distribute.get_strategy(), base)
    speedup = bfloat16_speedup(base)  # what was measured, kept
    assert speedup > 0
    assert (policy, why) == choose_by_speed(speedup)
    assert tf_keras.mixed_precision.global_policy().name == "float32"


def test_bfloat16_must_win_clearly():
    assert choose_by_speed(1.42) == ("mixed_bfloat16", "measured: bfloat16 is 1.42 times as fast as float32")
    assert choose_by_speed(1.05)[0] == choose_by_speed(0.5)[0] == "float32"

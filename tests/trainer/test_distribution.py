"""Two logical CPU devices stand in for two GPUs; they must be made before TensorFlow starts, so in another process.

Without dropout, of which each device draws numbers of its own, the arithmetic is the same on one device and on two.
"""

import contextlib
import dataclasses
import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from fullbake.contract.errors import InputError
from fullbake.trainer.data.input_pipeline import TokenizedSplit
from fullbake.trainer.devices.distribution import Placement, choose_placement, choose_strategy
from fullbake.trainer.fine_tune import train_classifier
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.models.dropout import StepDropout
from fullbake.trainer.models.masked_lm import MaskedLanguageModel
from fullbake.trainer.pretrain import pretrain
from tests.trainer.test_pretrain import SPEC
from tests.trainer.tokenized import random_rows, read_split
from tests.trainer.trainings import LABELS, make_spec, measures

PRETRAINING = dataclasses.replace(SPEC, batch_size=8)
APPROACHES = ("fine_tune", "frozen")

# Two devices of one process.
DEVICES = """
import sys
from pathlib import Path
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from fullbake.trainer.devices.distribution import choose_placement
from tests.trainer.test_distribution import drop, fine_tune, further_pretrain
base, folder = map(Path, sys.argv[1:])
placement = choose_placement("mirrored", "float32", base)
fine_tune(base, folder, placement)
further_pretrain(base, folder, placement)
drop(folder, placement)
"""

# A worker of several.
WORKER = """
import sys
from pathlib import Path
from fullbake.trainer.devices.distribution import choose_placement
base, folder = map(Path, sys.argv[1:])
placement = choose_placement("auto", "float32", base)  # before anything else, as in run_fn
from tests.trainer.test_distribution import drop, fine_tune
fine_tune(base, folder, placement, checkpoints=folder.parent / "kept")
drop(folder, placement)
"""


def splits(folder: Path) -> list[TokenizedSplit]:
    # 41 rows in batches of 8: the last batch, of one row, leaves a device without any.
    return [read_split(random_rows(rows, seed), folder / str(seed)) for seed, rows in ((1, 41), (2, 11))]


def fine_tune(base: Path, folder: Path, placement: Placement, *, checkpoints: Path | None = None) -> None:
    """Trains with each approach, keeps the weights in the folder, and prints where and with which loss.

    Where checkpoints are kept, it trains all once more, which finds everything done.
    """
    for approach in APPROACHES:
        spec = make_spec(base, head="linear", approach=approach, epochs=2)
        kept = None if checkpoints is None else checkpoints / approach
        classifier, record = train_classifier(spec, placement, base, *splits(folder), scratch=folder, checkpoints=kept)
        np.savez(folder / approach, *classifier.get_weights())
        if kept is not None:
            again, found = train_classifier(spec, placement, base, *splits(folder), scratch=folder, checkpoints=kept)
            assert measures(found) == measures(record)
            pairs = zip(again.get_weights(), classifier.get_weights(), strict=True)
            assert all(np.array_equal(*pair) for pair in pairs)
        print(f"{record.distribution}: {record.epochs[-1].eval_loss}")


def further_pretrain(base: Path, folder: Path, placement: Placement) -> None:
    """The same for further pre-training."""
    model, record = pretrain(PRETRAINING, placement, base, *splits(folder))
    np.savez(folder / "further_pretrain", *model.encoder.get_weights())
    print(f"{record.distribution}: {record.evaluations[-1].loss}")


def drop(folder: Path, placement: Placement) -> None:
    """Keeps what each replica of this process has dropped of a row of ones."""
    layer = tf_keras.layers.Dropout(0.5)
    source = StepDropout(tf_keras.Sequential([layer]), 0)

    def dropped() -> tf.Tensor:
        with source.at(tf.constant(3), tf.constant(0)):
            return layer(tf.ones(1000), training=True)

    strategy = placement.strategy
    kept = strategy.experimental_local_results(tf.function(lambda: strategy.run(dropped), autograph=False)())
    np.savez(folder / "dropped", *(replica.numpy() for replica in kept))


def differ(masks: list[np.ndarray]) -> float:
    """In which part of the places two masks differ."""
    one, other = masks
    return float((one != other).mean())


def flat(file: Path) -> np.ndarray:
    with np.load(file) as arrays:
        return np.concatenate([arrays[name].ravel() for name in arrays.files])


def losses(output: str, distribution: str) -> list[float]:
    """Those that were printed, which must all be of this distribution."""
    lines = [line for line in output.splitlines() if line.startswith(("one CPU device: ", "2 "))]
    assert all(line.startswith(f"{distribution}: ") for line in lines)
    return [float(line.removeprefix(f"{distribution}: ")) for line in lines]


class OneDevice(NamedTuple):
    """The folder with the weights that one device trained, its losses, and by approach the weights it began with."""

    folder: Path
    losses: list[float]
    start: dict[str, np.ndarray]


@pytest.fixture(scope="module")
def one_device(base_without_dropout: Path, tmp_path_factory: pytest.TempPathFactory) -> OneDevice:
    base, folder = base_without_dropout, tmp_path_factory.mktemp("one")
    placement = choose_placement("none", "float32", base)
    with contextlib.redirect_stdout(io.StringIO()) as output:
        fine_tune(base, folder, placement)
        further_pretrain(base, folder, placement)
    start = {}
    for name in (*APPROACHES, "further_pretrain"):
        tf_keras.utils.set_random_seed(0)
        if name == "further_pretrain":
            weights = MaskedLanguageModel.from_base(base).encoder.get_weights()
        else:
            weights = Classifier.from_base(base, "linear", LABELS).get_weights()
        start[name] = np.concatenate([value.ravel() for value in weights])
    return OneDevice(folder, losses(output.getvalue(), "one CPU device"), start)


def test_two_devices_train_the_same_weights_as_one(base_without_dropout: Path, one_device: OneDevice, tmp_path: Path):
    arguments = [base_without_dropout, tmp_path]
    done = subprocess.run([sys.executable, "-c", DEVICES, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = losses(done.stdout, "2 mirrored CPUs")
    assert len(found) == 3
    assert found == pytest.approx(one_device.losses, rel=1e-4)
    for name, start in one_device.start.items():
        by_two, by_one = (flat(folder / f"{name}.npz") for folder in (tmp_path, one_device.folder))
        # Sums in another order differ in their last bits, which Adam magnifies where a gradient is next to nothing.
        assert np.linalg.norm(by_two - by_one) < 1e-3 * np.linalg.norm(by_one - start)
    with np.load(tmp_path / "dropped.npz") as masks:
        assert differ([masks[name] for name in masks.files]) == pytest.approx(0.5, abs=0.1)


def test_two_workers_that_meet_train_the_same_weights_as_one(
    base_without_dropout: Path, one_device: OneDevice, tmp_path: Path
):
    ports = []
    with contextlib.ExitStack() as sockets:
        for _ in range(2):
            taken = sockets.enter_context(socket.socket())
            taken.bind(("127.0.0.1", 0))
            ports.append(taken.getsockname()[1])
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    started = []
    for index in range(2):
        folder = tmp_path / str(index)
        folder.mkdir()
        task = {"type": "worker", "index": index}
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", WORKER, base_without_dropout, folder],
                env={**os.environ, "TF_CONFIG": json.dumps({"cluster": cluster, "task": task})},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        started.append((folder, process))
    found = []
    for folder, process in started:
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, (folder / "log").read_text()[-3000:]
        found.append(losses(output, "2 workers named by TF_CONFIG"))
    assert len(found[0]) == 2
    assert found[0] == found[1] == pytest.approx(one_device.losses[:2], rel=1e-4)
    for approach in APPROACHES:
        two = [flat(folder / f"{approach}.npz") for folder, _ in started]
        np.testing.assert_array_equal(*two)
        one = flat(one_device.folder / f"{approach}.npz")
        assert np.linalg.norm(two[0] - one) < 1e-4 * np.linalg.norm(one)
    assert differ([flat(folder / "dropped.npz") for folder, _ in started]) == pytest.approx(0.5, abs=0.1)


def test_auto_takes_the_one_device_there_is(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("this machine has a GPU")
    strategy, found = choose_strategy("auto")
    assert strategy is tf.distribute.get_strategy()
    assert found == "one CPU device"


def test_what_is_asked_for_and_not_there_is_an_input_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(InputError, match="multi_worker needs TF_CONFIG"):
        choose_strategy("multi_worker")
    with pytest.raises(InputError, match="no TPU was found"):
        choose_strategy("tpu")


def test_a_training_that_goes_on_keeps_its_arithmetic_whatever_is_measured_now(tmp_path: Path):
    def measured(policy: str) -> Placement:
        return Placement(tf.distribute.get_strategy(), "one CPU device", policy, "measured")

    begun = measured("mixed_bfloat16").as_begun(tmp_path / "kept")
    assert (begun.policy, begun.policy_reason) == ("mixed_bfloat16", "measured")
    resumed = measured("float32").as_begun(tmp_path / "kept")
    assert (resumed.policy, resumed.policy_reason) == ("mixed_bfloat16", "as it was begun")
    assert measured("float32").as_begun(None).policy == "float32"
    (file,) = (tmp_path / "kept").iterdir()
    file.write_bytes(b"\xff")
    assert measured("float32").as_begun(tmp_path / "kept").policy == "float32"
    assert measured("mixed_bfloat16").as_begun(tmp_path / "kept").policy == "float32"


class OnTpu(Placement):
    """Stands in for a TPU, which takes a cluster: all that is asked of it here is that shapes are static."""

    static_shapes = True


def test_a_tpu_that_should_accumulate_gradients_is_an_input_error():
    placement = OnTpu(tf.distribute.get_strategy(), "a TPU of 8 cores", "mixed_bfloat16", "a TPU's own arithmetic")
    placement.check_accumulation("training", 1)
    with pytest.raises(InputError, match=r"^training_gradient_accumulation_steps: 2 is not possible on a TPU"):
        placement.check_accumulation("training", 2)

"""Two logical CPU devices stand in for two GPUs; they must be made before TensorFlow starts, so in another process.

Without dropout, whose numbers each device draws for itself, the arithmetic is the same on both.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from trainer.distribution import Placement, choose_strategy
from trainer.errors import InputError

SCRIPT = """
import dataclasses
import sys
from pathlib import Path
import numpy as np
import tensorflow as tf
import tf_keras
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tests.trainer.test_fine_tune import make_spec, train
from tests.trainer.test_pretrain import SPEC
from trainer.classifier import Classifier
from trainer.distribution import choose_placement
from trainer.masked_lm import MaskedLanguageModel
from trainer.pretrain import pretrain
from tests.trainer.tokenized import random_rows, read_split
base, folder, distribution = sys.argv[1:]
# 41 rows in batches of 8: the last batch, of one row, leaves a device without any.
splits = [read_split(random_rows(rows, seed), Path(folder, str(seed))) for seed, rows in ((1, 41), (2, 11))]
for approach in ("fine_tune", "frozen"):
    spec = make_spec(base, distribution=distribution, head="linear", approach=approach, epochs=2)
    classifier, record = train(spec, *splits, scratch=Path(folder))
    np.savez(Path(folder, f"{distribution}-{approach}"), *classifier.get_weights())
    print(record["distribution"], record["epochs"][-1]["eval_loss"])
    np.savez(Path(folder, f"start-{approach}"), *Classifier.from_base(Path(base), "linear", spec.labels).get_weights())
spec = dataclasses.replace(SPEC, distribution=distribution, batch_size=8)
model, record = pretrain(spec, choose_placement(distribution, "float32", Path(base)), Path(base), *splits)
np.savez(Path(folder, f"{distribution}-further_pretrain"), *model.backbone.get_weights())
print(record["distribution"], record["evaluations"][-1]["loss"])
tf_keras.utils.set_random_seed(spec.seed)
np.savez(Path(folder, "start-further_pretrain"), *MaskedLanguageModel.from_base(Path(base)).backbone.get_weights())
"""

WORKER = """
import sys
from pathlib import Path
from trainer.distribution import choose_placement
base, folder = map(Path, sys.argv[1:])
placement = choose_placement("auto", "float32", base)  # before anything else, as in run_fn
import numpy as np
from tests.trainer.test_fine_tune import make_spec
from tests.trainer.tokenized import random_rows, read_split
from trainer.fine_tune import train_classifier
splits = [read_split(random_rows(rows, seed), folder / str(seed)) for seed, rows in ((1, 41), (2, 11))]
for approach in ("fine_tune", "frozen"):
    spec = make_spec(base, head="linear", approach=approach, epochs=2)
    classifier, record = train_classifier(spec, placement, base, *splits, scratch=folder)
    np.savez(folder / approach, *classifier.get_weights())
    print(record["distribution"], record["epochs"][-1]["eval_loss"])
"""


def flat(file: Path) -> np.ndarray:
    with np.load(file) as arrays:
        return np.concatenate([arrays[name].ravel() for name in arrays.files])


def run(base: Path, folder: Path, distribution: str) -> list[tuple[str, float]]:
    arguments = [str(base), str(folder), distribution]
    done = subprocess.run([sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = [line.rsplit(" ", 1) for line in done.stdout.splitlines() if line.startswith(("2 mirrored", "one CPU"))]
    return [(device, float(loss)) for device, loss in found]


def test_two_devices_train_the_same_weights_as_one(base_without_dropout: Path, tmp_path: Path):
    two = run(base_without_dropout, tmp_path, "mirrored")
    one = run(base_without_dropout, tmp_path, "none")
    assert [device for device, _ in two + one] == ["2 mirrored CPUs"] * 3 + ["one CPU device"] * 3
    assert [loss for _, loss in two] == pytest.approx([loss for _, loss in one], rel=1e-4)
    for approach in ("fine_tune", "frozen", "further_pretrain"):
        start = flat(tmp_path / f"start-{approach}.npz")
        by_two, by_one = (flat(tmp_path / f"{name}-{approach}.npz") for name in ("mirrored", "none"))
        # Sums in another order differ in their last bits, which Adam magnifies where a gradient is next to nothing.
        assert np.linalg.norm(by_two - by_one) < 1e-3 * np.linalg.norm(by_one - start)


def test_two_workers_that_meet_train_the_same_weights_as_one(base_without_dropout: Path, tmp_path: Path):
    ports = []
    with contextlib.ExitStack() as sockets:
        for _ in range(2):
            taken = sockets.enter_context(socket.socket())
            taken.bind(("127.0.0.1", 0))
            ports.append(taken.getsockname()[1])
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    alone = {name: value for name, value in os.environ.items() if name != "TF_CONFIG"}
    environments = {"one": alone}
    for index in range(2):
        task = {"type": "worker", "index": index}
        environments[f"two-{index}"] = {**alone, "TF_CONFIG": json.dumps({"cluster": cluster, "task": task})}
    started = {}
    for name, environment in environments.items():
        (tmp_path / name).mkdir()
        started[name] = subprocess.Popen(
            [sys.executable, "-c", WORKER, base_without_dropout, tmp_path / name],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=(tmp_path / f"{name}.log").open("w"),
            text=True,
        )
    losses = {}
    for name, process in started.items():
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, (tmp_path / f"{name}.log").read_text()[-3000:]
        found = "one CPU device" if name == "one" else "2 workers named by TF_CONFIG"
        lines = [line for line in output.splitlines() if line.startswith(found)]
        losses[name] = [float(line.removeprefix(found)) for line in lines]
    assert losses["two-0"] == losses["two-1"] == pytest.approx(losses["one"], rel=1e-4)
    assert len(losses["one"]) == 2
    for approach in ("fine_tune", "frozen"):
        one, *two = (flat(tmp_path / name / f"{approach}.npz") for name in environments)
        np.testing.assert_array_equal(*two)
        assert np.linalg.norm(two[0] - one) < 1e-4 * np.linalg.norm(one)


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


class OnTpu(Placement):
    """Stands in for a TPU, which takes a cluster: all that is asked of it here is that shapes are static."""

    static_shapes = True


def test_a_tpu_that_should_accumulate_gradients_is_an_input_error():
    placement = OnTpu(tf.distribute.get_strategy(), "a TPU of 8 cores", "mixed_bfloat16", "a TPU's own arithmetic")
    placement.check_accumulation("training", 1)
    with pytest.raises(InputError, match=r"training.gradient_accumulation_steps: 2 is not possible on a TPU"):
        placement.check_accumulation("training", 2)

import json
import socket
import threading
import time

import pytest

from fullbake.contract.errors import InputError
from fullbake.trainer.devices.local_devices import check_local_devices
from fullbake.trainer.devices.worker_cluster import VARIABLE, WorkerCluster, configured_workers

TWO = ["127.0.0.1:1001", "127.0.0.1:1002"]


def set_config(patch: pytest.MonkeyPatch, given: object) -> None:
    patch.setenv(VARIABLE, given if isinstance(given, str) else json.dumps(given))


def test_chief_and_workers_are_one_cluster(monkeypatch: pytest.MonkeyPatch):
    cluster = {"chief": ["a:1"], "worker": ["b:2", "[::1]:3"], "evaluator": ["c:4"]}
    set_config(monkeypatch, {"cluster": cluster, "task": {"type": "worker", "index": "1"}})
    assert configured_workers() == WorkerCluster(("a:1", "b:2", "[::1]:3"), 2)
    monkeypatch.setenv(VARIABLE, " ")
    assert configured_workers() is None


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("{", "TF_CONFIG: it is not JSON"),
        ("[]", "its cluster has no worker"),
        ({"task": {"type": "worker", "index": 0}}, "its cluster has no worker"),
        ({"cluster": {"ps": ["a:1"]}}, "its cluster has no worker"),
        ({"cluster": {"worker": ["a"]}}, "worker 0 of its cluster is 'a', and must be like host:port"),
        ({"cluster": {"worker": [7]}}, "worker 0 of its cluster is 7"),
        ({"cluster": {"worker": ["a:99999"]}}, "must be like host:port"),
        ({"cluster": {"worker": TWO}}, "its task is None None, which its cluster has not"),
        ({"cluster": {"worker": TWO}, "task": "worker"}, "its task is None None"),
        (
            {"cluster": {"worker": TWO}, "task": {"type": "worker", "index": 2}},
            "its task is worker 2, which its cluster has not (it has: worker 0, worker 1)",
        ),
    ],
)
@pytest.mark.parametrize("distribution", ["auto", "multi_worker"])
def test_a_broken_cluster_is_told_before_anything_is_done(monkeypatch, given, complaint: str, distribution: str):
    set_config(monkeypatch, given)
    with pytest.raises(InputError) as error:
        check_local_devices(distribution)
    assert str(error.value).startswith("TF_CONFIG: ")
    assert complaint in str(error.value)
    check_local_devices("none")


def free_addresses(count: int) -> list[str]:
    taken = [socket.socket() for _ in range(count)]
    for each in taken:
        each.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in taken]
    for each in taken:
        each.close()
    return addresses


def test_a_worker_that_does_not_come_is_named_and_waited_for_no_longer_than_said(caplog):
    caplog.set_level("INFO")
    here, absent = free_addresses(2)
    started = time.monotonic()
    with pytest.raises(InputError, match=f"1 of 2 workers did not come within 1 s: {absent}; start them"):
        WorkerCluster((here, absent), 0).meet(1)
    assert 1 <= time.monotonic() - started < 5
    assert caplog.messages == [f"waiting for {absent}, named by TF_CONFIG, up to 1 s"]


def test_workers_that_come_one_after_the_other_meet():
    addresses = tuple(free_addresses(3))
    met: list[int] = []

    def come(number: int) -> None:
        WorkerCluster(addresses, number).meet(20)
        met.append(number)
        # From here on TensorFlow answers in its stead.
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            host, port = addresses[number].split(":")
            server.bind((host, int(port)))
            server.listen()
            while len(met) < len(addresses):
                time.sleep(0.05)

    workers = [threading.Thread(target=come, args=(number,)) for number in range(3)]
    for worker in workers:
        worker.start()
        time.sleep(0.3)
    for worker in workers:
        worker.join()
    assert sorted(met) == [0, 1, 2]


def test_a_port_that_is_taken_is_told():
    with socket.socket() as other:
        other.bind(("", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(
            InputError, match=r"the port of this worker, .*, cannot be taken \(Address already in use\)"
        ):
            WorkerCluster((address, "127.0.0.1:1"), 0).meet(1)


@pytest.mark.parametrize(
    ("distribution", "complaint"),
    [
        ("mirrored", "mirrored needs GPUs, and this machine shows none; set it to auto or none"),
        ("tpu", "tpu needs a TPU, and this machine shows none"),
        ("multi_worker", "multi_worker needs TF_CONFIG in the environment"),
    ],
)
def test_devices_that_are_not_there_are_told_before_anything_is_done(monkeypatch, distribution: str, complaint: str):
    for name in (VARIABLE, "TPU_NAME", "TPU_WORKER_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("glob.glob", lambda pattern: [])
    with pytest.raises(InputError, match=f"^distribution: {complaint}"):
        check_local_devices(distribution)
    check_local_devices("auto")


def test_devices_that_may_be_there_are_left_to_tensorflow(monkeypatch):
    monkeypatch.setattr("glob.glob", lambda pattern: ["found"])
    check_local_devices("mirrored")
    monkeypatch.setattr("glob.glob", lambda pattern: [])
    monkeypatch.setenv("TPU_NAME", "local")
    check_local_devices("tpu")


def test_several_workers_are_for_a_cluster(monkeypatch):
    set_config(monkeypatch, {"cluster": {"worker": TWO}, "task": {"type": "worker", "index": 0}})
    for distribution in ("auto", "multi_worker"):
        with pytest.raises(InputError, match=r"several workers .* must meet before TensorFlow is used"):
            check_local_devices(distribution)

"""What the Training Operator does with a TFJob, behind a server that speaks as Kubernetes' API: pods are processes.

Read from pkg/controller.v1/tensorflow of kubeflow/training-operator: what it sets in TF_CONFIG, when it takes a job for
done or failed, and which pods it ends.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import yaml

JOBS = "/apis/kubeflow.org/v1/namespaces/kubeflow/tfjobs"


@dataclass
class TrainingOperator:
    """The server's state.

    Attributes:
        folder: Where the pods' logs go, one file each.
        refusal: The status that is given instead of making a job.
        lose: A condition on which the second worker is killed, as by a node that goes away.
        broken: Whether pods are told of each other in a way that none understands.
        manifests: Every job that was made.
    """

    folder: Path
    refusal: int | None = None
    lose: Callable[[], bool] | None = None
    broken: bool = False
    manifests: list[dict[str, Any]] = field(default_factory=list)
    pods: dict[str, list[subprocess.Popen[bytes]]] = field(default_factory=dict)
    kubeconfig: Path = Path()

    @property
    def logs(self) -> str:
        return "\n".join(file.read_text() for file in sorted(self.folder.glob("*.log")))

    def create(self, job: dict[str, Any]) -> None:
        self.manifests.append(job)
        worker = job["spec"]["tfReplicaSpecs"]["Worker"]
        (container,) = worker["template"]["spec"]["containers"]
        addresses = [f"127.0.0.1:{port}" for port in _free_ports(worker["replicas"])]
        name = job["metadata"]["name"]
        self.pods[name] = []
        for index in range(worker["replicas"]):
            task = {
                "cluster": {"worker": addresses},
                "task": {"type": "worker", "index": index},
                "environment": "cloud",
            }
            environment = {variable["name"]: variable["value"] for variable in container["env"]}
            environment |= {"PATH": _image_path()}
            if self.broken or worker["replicas"] > 1:  # a single one is told of none
                environment["TF_CONFIG"] = "{" if self.broken else json.dumps(task)
            log = self.folder / f"{len(self.manifests)}-worker-{index}.log"
            with log.open("wb") as stream:
                pod = subprocess.Popen(
                    container["command"], cwd="/", env=environment, stdout=stream, stderr=stream, start_new_session=True
                )
            self.pods[name].append(pod)
        if self.lose is not None:
            Thread(target=self._lose, args=(self.lose, self.pods[name][1]), daemon=True).start()

    @staticmethod
    def _lose(moment: Callable[[], bool], pod: subprocess.Popen[bytes]) -> None:
        while not moment():
            time.sleep(0.02)
        pod.kill()

    def status(self, name: str) -> dict[str, Any]:
        pods = self.pods[name]
        codes = [pod.poll() for pod in pods]
        if any(codes):
            kind, message = (
                "Failed",
                f"TFJob {name} has failed because {sum(map(bool, codes))} Worker replica(s) failed.",
            )
        elif codes[0] == 0:
            kind, message = "Succeeded", f"TFJob {name} successfully completed."
        else:
            return {"conditions": [{"type": "Running", "status": "True", "message": f"TFJob {name} is running."}]}
        end(pods)  # cleanPodPolicy: Running
        running = {"type": "Running", "status": "False"}
        return {"conditions": [running, {"type": kind, "status": "True", "message": message}]}


@contextmanager
def training_operator(folder: Path, **settings: Any) -> Iterator[TrainingOperator]:
    """Starts it; ends it, and its pods, with the block."""
    folder.mkdir()
    operator = TrainingOperator(folder, **settings)
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(operator)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        operator.kubeconfig = folder / "kubeconfig.yaml"
        here = {"name": "here", "cluster": {"server": f"http://127.0.0.1:{server.server_address[1]}"}}
        context = {"name": "here", "context": {"cluster": "here", "user": "anyone"}}
        users = [{"name": "anyone", "user": {}}]
        operator.kubeconfig.write_text(
            yaml.safe_dump({"clusters": [here], "contexts": [context], "users": users, "current-context": "here"})
        )
        try:
            yield operator
        finally:
            for pods in operator.pods.values():
                end(pods)
            server.shutdown()


def end(pods: list[subprocess.Popen[bytes]]) -> None:
    for pod in pods:
        if pod.poll() is None:
            os.killpg(pod.pid, signal.SIGKILL)
        pod.wait()


def _handler(operator: TrainingOperator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.removeprefix(f"{JOBS}/")
            if name in operator.pods:
                self._answer(200, {**operator.manifests[-1], "status": operator.status(name)})
            else:
                self._answer(404, {})

        def do_POST(self) -> None:
            job = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if operator.refusal or self.path != JOBS:
                self._answer(operator.refusal or 404, {})
                return
            operator.create(job)
            self._answer(201, job)

        def do_DELETE(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            pods = operator.pods.pop(self.path.removeprefix(f"{JOBS}/").partition("?")[0], None)
            end(pods or [])
            self._answer(404 if pods is None else 200, {})

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _image_path() -> str:
    return os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"])

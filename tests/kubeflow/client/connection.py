"""A client connected to a server of the tests, and what it launches."""

from fullbake.kubeflow.client import KubeflowClient
from fullbake.kubeflow.cron import parse_cron
from fullbake.kubeflow.login import find_login
from fullbake.kubeflow.server import Server
from tests.kubeflow.kfp_server import KfpServer

KEY = "open-sesame"
CRON = parse_cron("0 2 * * *", "--cron")
PARAMETERS = {"epochs": 3, "learning-rate": 5e-05, "input-base": "gs://bucket/data"}
TYPES = {"epochs": "NUMBER_INTEGER", "learning-rate": "NUMBER_DOUBLE", "input-base": "STRING"}
PACKAGE = {
    "pipelineInfo": {"name": "nightly"},
    "schemaVersion": "2.1.0",
    "root": {
        "inputDefinitions": {"parameters": {name: {"parameterType": kind} for name, kind in TYPES.items()}},
        "dag": {"tasks": {"Trainer": {"cachingOptions": {"enableCache": False}}}},
    },
}


def connect(server: KfpServer, token: str | None = None, namespace: str = "kubeflow") -> KubeflowClient:
    return connect_to(server.host, token, namespace)


def connect_to(host: str | None, token: str | None = None, namespace: str | None = "kubeflow") -> KubeflowClient:
    return KubeflowClient(Server(find_login(host, token, namespace=namespace, default_namespace="kubeflow")))

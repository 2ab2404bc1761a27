"""Notices to a webhook, a server of this machine; which try a pod is comes from an API of Kubernetes beside it."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.config import incluster_config

from fullbake.kubeflow import notice, retries
from fullbake.kubeflow.carried_config import carried_config
from fullbake.kubeflow.notice import ADDRESS_VARIABLE, find_run, notify
from fullbake.kubeflow.parameters import CONFIG_PARAMETER
from fullbake.pipeline.config.config import Config
from tests.kubeflow.kubernetes_services import POD, kubernetes_api
from tests.kubeflow.webhook import SECRET_PATH, Webhook, webhook

RUN = "0f9b8c1a-3c1d-4a55-9d51-6f0d3b1f3f10"


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    monkeypatch.setattr(notice, "LONGEST_WAIT_SECONDS", 0)
    with webhook() as started:
        monkeypatch.setenv(ADDRESS_VARIABLE, f"{started.address}\n")
        yield started


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """The log, which never holds the address."""
    caplog.set_level(logging.DEBUG, "fullbake")
    yield caplog
    assert SECRET_PATH not in caplog.text


def asked(config: Config, step: str = "Pusher") -> dict[str, Any]:
    """What the launcher asks of a step."""
    uri = f"minio://mlpipeline/v2/artifacts/planted/{RUN}/{step}/1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed/pushed_model"
    return {
        "inputs": {"parameterValues": {CONFIG_PARAMETER: carried_config(config)}},
        "outputs": {"artifacts": {"pushed_model": {"artifacts": [{"uri": uri}]}}},
    }


def test_a_refusal_is_told_with_its_reason_and_the_missed_bounds(cluster_config: Callable[..., Config], hook, log):
    notify("Pusher", asked(cluster_config()), "refused", "recall of '<b>' is 0.4", ["recall of '<b>' is 0.4"])
    assert hook.posts == [
        {
            "text": f"planted: the model was refused by step Pusher: recall of '&lt;b&gt;' is 0.4 (run {RUN})",
            "pipeline": "planted",
            "run": RUN,
            "step": "Pusher",
            "verdict": "refused",
            "reason": "recall of '<b>' is 0.4",
            "missed_bounds": ["recall of '<b>' is 0.4"],
        }
    ]
    assert log.messages[-1] == "Pusher: notice sent"


def test_without_an_address_nothing_is_sent(cluster_config, hook, log, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(ADDRESS_VARIABLE)
    notify("Pusher", asked(cluster_config()), "refused", "x")
    assert (hook.posts, log.messages) == ([], [])


def test_a_busy_webhook_is_asked_again_and_one_that_refuses_is_not(cluster_config, hook, log):
    hook.answers[:] = [503, 429, 200]
    notify("Pusher", asked(cluster_config()), "failed", "x")
    assert (len(hook.posts), log.messages[-1]) == (3, "Pusher: notice sent")
    for answer, posts in ((404, 4), (307, 5), (500, 9)):
        hook.answers[:] = [answer]
        notify("Pusher", asked(cluster_config()), "failed", "x")
        assert log.messages[-1] == (
            f"Pusher: notice not sent: the webhook answers {answer}; look at the secret that kubeflow.notify names"
        )
        assert len(hook.posts) == posts


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("http://127.0.0.1:1" + SECRET_PATH, "the webhook cannot be reached (ConnectionError)"),
        ("http://[::1" + SECRET_PATH, "the webhook cannot be reached (InvalidURL)"),
        ("http://127.0.0.1:99999999" + SECRET_PATH, "the webhook cannot be reached (InvalidURL)"),
        ("file:///etc/passwd", "its address begins with neither http:// nor https://"),
        (SECRET_PATH, "its address begins with neither http:// nor https://"),
    ],
)
def test_what_cannot_be_sent_is_a_warning_without_the_address(
    cluster_config, hook, log, monkeypatch: pytest.MonkeyPatch, address: str, fault: str
):
    monkeypatch.setenv(ADDRESS_VARIABLE, address)
    notify("Pusher", asked(cluster_config()), "failed", "x")
    (record,) = log.records
    assert (record.levelname, record.message) == (
        "WARNING",
        f"Pusher: notice not sent: {fault}; look at the secret that kubeflow.notify names",
    )


def test_secrets_are_left_out_of_a_reason_and_a_long_one_is_cut(cluster_config, hook, log):
    config = cluster_config("beam.args=[--db_password=pl4ntedValue]")
    notify("Trainer", asked(config), "failed", f"at http://ann:pw@db with pl4ntedValue: {'graph ' * 1000}")
    reason = hook.posts[0]["reason"]
    assert reason.startswith("at http://***@db with ***: graph ")
    assert len(reason) < 2_100


def test_a_config_that_cannot_be_read_is_told_without_a_name(cluster_config, hook, log):
    request = asked(cluster_config(), "CsvExampleGen")
    request["inputs"]["parameterValues"][CONFIG_PARAMETER] = "torn"
    notify("CsvExampleGen", request, "failed", "parameter 'config': not what fullbake packed")
    assert (hook.posts[0]["pipeline"], hook.posts[0]["run"]) == (None, RUN)


def test_the_run_is_found_in_an_input_where_a_step_has_no_output(cluster_config):
    request = asked(cluster_config())
    moved = {"inputs": {**request["inputs"], **request["outputs"]}, "outputs": {}}
    assert find_run(moved) == RUN
    assert find_run({"inputs": {}, "outputs": {}}) is None


@pytest.mark.parametrize("index", ["0", "1"])
def test_a_step_that_argo_tries_again_is_told_at_its_last_try(
    cluster_config, hook, log, monkeypatch: pytest.MonkeyPatch, index: str
):
    monkeypatch.setenv("KFP_RETRY_INDEX", index)
    config = cluster_config("kubeflow.retries=1")
    notify("Trainer", asked(config), "failed", "x")
    assert len(hook.posts) == int(index)
    notify("Pusher", asked(config), "failed", "x")  # which is tried again in its container
    assert len(hook.posts) == int(index) + 1


@pytest.mark.parametrize(
    ("node", "sent"), [("a-run.root.Trainer.executor(0)", 0), ("a-run.root.Trainer.executor(1)", 1), ("a-run.x", 1)]
)
def test_releases_that_do_not_say_which_try_it_is_have_it_in_the_pods_annotation(
    cluster_config, hook, log, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, node: str, sent: int
):
    account = tmp_path / "serviceaccount"
    account.mkdir()
    (account / "token").write_text("token")
    (account / "namespace").write_text("kubeflow")
    pod = {"metadata": {"name": POD, "annotations": {"workflows.argoproj.io/node-name": node}}}
    with kubernetes_api(account, {f"pods/{POD}": pod}) as port:
        monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(account / "token"))
        monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(account / "ca.crt"))
        monkeypatch.setattr(retries, "NAMESPACE_FILE", account / "namespace")
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(port))
        monkeypatch.setenv("KFP_POD_NAME", POD)
        notify("Trainer", asked(cluster_config("kubeflow.retries=1")), "failed", "x")
    assert len(hook.posts) == sent
    assert log.messages == [f"Trainer: {'notice sent' if sent else 'no notice, for it is tried again'}"]


def test_where_kubernetes_does_not_say_every_try_is_told(cluster_config, hook, log):
    notify("Trainer", asked(cluster_config("kubeflow.retries=1")), "failed", "x")
    assert len(hook.posts) == 1
    assert log.messages[0] == "which try this is, cannot be told: ConfigException"

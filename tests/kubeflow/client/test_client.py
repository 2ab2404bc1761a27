import pytest

from fullbake.contract.errors import InputError
from fullbake.kubeflow.cron import parse_cron
from tests.kubeflow.client.connection import CRON, KEY, PACKAGE, PARAMETERS, connect
from tests.kubeflow.kfp_http import serve
from tests.kubeflow.kfp_server import KfpServer


def test_submit_runs_a_pipeline_version_with_parameters_and_root(server: KfpServer, launch):
    run = connect(server).submit(launch(pipeline_root="gs://bucket/root", service_account="trainer"))
    (experiment,), (pipeline,), (version,) = server.experiments, server.pipelines, server.pipeline_versions
    assert (experiment["display_name"], pipeline["display_name"]) == ("bert", "nightly")
    assert version["pipeline_spec"] == PACKAGE
    (body,) = server.sent("POST", "/runs")
    assert body == {
        "display_name": run.version,
        "experiment_id": experiment["experiment_id"],
        "pipeline_version_reference": {
            "pipeline_id": pipeline["pipeline_id"],
            "pipeline_version_id": version["pipeline_version_id"],
        },
        "runtime_config": {"parameters": PARAMETERS, "pipeline_root": "gs://bucket/root"},
        "service_account": "trainer",
    }
    assert run.url == f"{server.host}/#/runs/details/{server.runs[0]['run_id']}"


def test_each_submission_is_a_new_version_of_one_pipeline(server: KfpServer, launch):
    client = connect(server)
    runs = [client.submit(launch()) for _ in range(3)]
    assert len(server.experiments) == len(server.pipelines) == 1
    assert len({run.version for run in runs}) == 3
    referred = [body["pipeline_version_reference"]["pipeline_version_id"] for body in server.sent("POST", "/runs")]
    assert referred == [version["pipeline_version_id"] for version in server.pipeline_versions]


def test_without_a_root_or_an_account_the_server_chooses(server: KfpServer, launch):
    connect(server).submit(launch())
    (body,) = server.sent("POST", "/runs")
    assert body["runtime_config"] == {"parameters": PARAMETERS}
    assert "service_account" not in body


def test_schedule_sends_cron_concurrency_catch_up_parameters_and_root(server: KfpServer, launch):
    made, replaced = connect(server).schedule(launch(pipeline_root="minio://bucket/root"), CRON, 3)
    (body,) = server.sent("POST", "/recurringruns")
    assert body == {
        "display_name": "nightly",
        "experiment_id": server.experiments[0]["experiment_id"],
        "trigger": {"cron_schedule": {"cron": "0 0 2 * * *"}},
        "max_concurrency": 3,
        "no_catchup": True,
        "mode": "ENABLE",
        "pipeline_version_reference": {
            "pipeline_id": server.pipelines[0]["pipeline_id"],
            "pipeline_version_id": server.pipeline_versions[0]["pipeline_version_id"],
        },
        "runtime_config": {"parameters": PARAMETERS, "pipeline_root": "minio://bucket/root"},
    }
    assert (made.name, made.cron, made.enabled, replaced) == ("nightly", "0 0 2 * * *", True, [])
    assert made.url == f"{server.host}/#/recurringrun/details/{made.id}"


def test_scheduling_again_leaves_one_recurring_run_the_new_one(server: KfpServer, launch):
    client = connect(server)
    first, _ = client.schedule(launch(), CRON, 1)
    second, replaced = client.schedule(launch(), parse_cron("30 3 * * 7", "--cron"), 2)
    assert replaced == [first]
    assert client.schedules() == [second]
    (left,) = server.recurring_runs
    assert (left["recurring_run_id"], left["max_concurrency"]) == (second.id, "2")
    assert left["trigger"]["cron_schedule"]["cron"] == "0 30 3 * * 0"
    newest = server.pipeline_versions[-1]["pipeline_version_id"]
    assert left["pipeline_version_reference"]["pipeline_version_id"] == newest
    changes = [request.method for request in server.requests if "/recurringruns" in request.path]
    assert changes[-3:-1] == ["POST", "DELETE"]  # the new one first; the last is the list above


def test_scheduling_leaves_other_names_alone_even_those_that_differ_by_a_capital(server: KfpServer, launch):
    client = connect(server)
    others = [client.schedule(launch(name), CRON, 1)[0] for name in ("hourly", "Nightly", "nightly-2")]
    for _ in range(2):
        made, _ = client.schedule(launch(), CRON, 1)
    assert client.schedules() == [*others, made]
    assert len(server.pipelines) == 4


def test_duplicates_beyond_a_page_are_replaced_too(server: KfpServer, launch):
    client = connect(server)
    client.schedule(launch(), CRON, 1)
    server.recurring_runs += [{**server.recurring_runs[0], "recurring_run_id": f"copy-{copy}"} for copy in range(6)]
    server.max_page_size = 2
    made, replaced = client.schedule(launch(), CRON, 1)
    assert len(replaced) == 7
    assert client.schedules() == [made]


def test_a_pipeline_beyond_a_page_is_found(server: KfpServer, launch):
    client = connect(server)
    client.submit(launch())
    decoys = [{**server.pipelines[0], "pipeline_id": f"decoy-{decoy}", "display_name": "NIGHTLY"} for decoy in range(4)]
    server.pipelines[:0] = decoys
    server.max_page_size = 2
    client.submit(launch())
    assert len(server.pipelines) == 5
    assert server.pipeline_versions[1]["pipeline_id"] == server.pipelines[-1]["pipeline_id"]


def test_a_failure_to_make_the_new_one_leaves_the_old_one(server: KfpServer, launch):
    client = connect(server)
    first, _ = client.schedule(launch(), CRON, 1)
    server.failures["POST", "/recurringruns"] = 500
    with pytest.raises(InputError, match="answers 500 Internal Server Error: injected"):
        client.schedule(launch(), CRON, 1)
    assert client.schedules() == [first]


def test_a_failure_to_delete_the_old_one_is_told_and_mended_by_scheduling_again(server: KfpServer, launch):
    client = connect(server)
    first, _ = client.schedule(launch(), CRON, 1)
    path = f"/recurringruns/{first.id}"
    server.failures["DELETE", path] = 503
    with pytest.raises(
        InputError, match=r"the new recurring run .* is there, and so is an old one: .*; schedule again"
    ):
        client.schedule(launch(), CRON, 1)
    assert len(client.schedules()) == 2
    server.failures.clear()
    made, replaced = client.schedule(launch(), CRON, 1)
    assert len(replaced) == 2
    assert client.schedules() == [made]


def test_a_run_in_progress_is_not_stopped_by_scheduling_or_deleting_unless_told_so(server: KfpServer, launch):
    client = connect(server)
    first, _ = client.schedule(launch(), CRON, 1)
    server.start_run_of(first.id)
    for change in (lambda: client.schedule(launch(), CRON, 1), lambda: client.delete("nightly")):
        with pytest.raises(
            InputError, match=r"its run nightly-1 is in progress, .* wait until it is done, or give --stop"
        ):
            change()
    assert (client.schedules(), len(server.pipeline_versions)) == ([first], 1)
    second, replaced = client.schedule(launch(), CRON, 1, stop_runs=True)
    assert (client.schedules(), replaced) == ([second], [first])
    server.start_run_of(second.id)
    client.delete("nightly", stop_runs=True)
    assert client.schedules() == []


@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED", "CANCELED"])
def test_a_run_that_is_over_does_not_stand_in_the_way(server: KfpServer, launch, state: str):
    client = connect(server)
    first, _ = client.schedule(launch(), CRON, 1)
    server.start_run_of(first.id, state)
    client.submit(launch())  # in progress, and not of the recurring run
    assert client.schedule(launch(), CRON, 1)[1] == [first]


def test_pause_and_resume_change_the_recurring_run_of_the_name(server: KfpServer, launch):
    client = connect(server)
    other, _ = client.schedule(launch("hourly"), CRON, 1)
    client.schedule(launch(), CRON, 1)
    assert [(schedule.name, schedule.enabled) for schedule in client.pause("nightly")] == [("nightly", False)]
    assert [run["status"] for run in server.recurring_runs] == ["ENABLED", "DISABLED"]
    assert [schedule.enabled for schedule in client.resume("nightly")] == [True]
    assert client.delete("nightly")
    assert client.schedules() == [other]


def test_a_paused_recurring_run_stays_paused_when_scheduled_again(server: KfpServer, launch):
    client = connect(server)
    client.schedule(launch(), CRON, 1)
    client.pause("nightly")
    made, _ = client.schedule(launch(), CRON, 1)
    assert not made.enabled
    assert [run["status"] for run in server.recurring_runs] == ["DISABLED"]


@pytest.mark.parametrize("change", ["pause", "resume", "delete"])
def test_what_is_not_there_cannot_be_changed(server: KfpServer, change: str):
    with pytest.raises(
        InputError, match="nightly: there is no recurring run of this name in namespace kubeflow of http"
    ):
        getattr(connect(server), change)("nightly")


def test_a_recurring_run_without_a_cron_is_listed_too(server: KfpServer, launch):
    client = connect(server)
    client.schedule(launch(), CRON, 1)
    server.recurring_runs[0]["trigger"] = {"periodic_schedule": {"interval_second": "60"}}
    assert [(schedule.name, schedule.cron) for schedule in client.schedules()] == [("nightly", None)]


def test_namespaces_of_a_server_for_many_are_kept_apart(launch):
    with serve(KfpServer(token=KEY, multi_user=True, allowed_namespaces=("ann", "bob"))) as server:
        ann, bob = (connect(server, KEY, namespace) for namespace in ("ann", "bob"))
        of_ann, _ = ann.schedule(launch(), CRON, 1)
        of_bob, replaced = bob.schedule(launch(), CRON, 1)
        assert (ann.schedules(), bob.schedules(), replaced) == ([of_ann], [of_bob], [])
        assert {pipeline["namespace"] for pipeline in server.pipelines} == {"ann", "bob"}
        assert {request.authorization for request in server.requests} == {f"Bearer {KEY}"}
        with pytest.raises(InputError, match=r"refuses the request \(403 Forbidden: User 'somebody' is not authorized"):
            connect(server, KEY, "eve").submit(launch())

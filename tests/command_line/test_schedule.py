import json
from pathlib import Path

from tests.command_line.on_cluster import KEY, check_caching_is_off, fullbake
from tests.kubeflow.kfp_server import KfpServer


def test_schedule_twice_leaves_one_recurring_run(server: KfpServer, cluster_project: Path):
    first = fullbake(server, cluster_project, "schedule", "--cron", "0 2 * * *")
    assert first.exit_code == 0, first.output
    (old,) = server.recurring_runs
    second = fullbake(server, cluster_project, "schedule", "--cron", "0 3 * * *", "--experiment", "bert")
    assert second.exit_code == 0, second.output
    (left,) = server.recurring_runs
    words, times, replaced, page = second.stdout.splitlines()
    assert words == "nightly: At 03:00 every day (0 3 * * *, UTC)"
    assert times.startswith("  next: ")
    assert times.count(" 03:00") == 3
    assert times.endswith(" UTC")
    assert replaced == f"  in the place of {old['recurring_run_id']}"
    assert page == f"  {server.host}/#/recurringrun/details/{left['recurring_run_id']}"
    body = server.sent("POST", "/recurringruns")[-1]
    assert body["trigger"] == {"cron_schedule": {"cron": "0 0 3 * * *"}}
    assert (body["max_concurrency"], body["no_catchup"], body["mode"]) == (4, True, "ENABLE")
    assert body["runtime_config"]["pipeline_root"] == "minio://bucket/root"
    assert body["runtime_config"]["parameters"]["epochs"] == 2
    assert (
        body["pipeline_version_reference"]["pipeline_version_id"] == server.pipeline_versions[1]["pipeline_version_id"]
    )
    assert [experiment["display_name"] for experiment in server.experiments] == ["nightly", "bert"]
    check_caching_is_off(server)


def test_as_json_schedules_are_a_list(server: KfpServer, cluster_project: Path):
    def told(*arguments: str):
        result = fullbake(server, cluster_project, "schedule", *arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    assert told("--list") == []
    (made,) = told("--cron", "0 2 * * *", "--quiet")
    assert made["replaces"] == []
    assert (made["name"], made["cron"], made["enabled"], len(made["next"])) == ("nightly", "0 2 * * *", True, 3)
    assert made["url"] == f"{server.host}/#/recurringrun/details/{made['id']}"
    (again,) = told("--cron", "0 3 * * *")
    assert again["replaces"] == [made["id"]]
    (paused,) = told("--pause")
    assert (paused["id"], paused["enabled"], paused["next"]) == (again["id"], False, [])
    (deleted,) = told("--delete")
    assert deleted["id"] == again["id"]
    assert server.recurring_runs == []


def test_the_cron_of_the_config_is_the_default(server: KfpServer, cluster_project: Path):
    result = fullbake(server, cluster_project, "schedule", "--set", 'kubeflow.schedule.cron="30 4 * * 1"')
    assert result.exit_code == 0, result.output
    assert server.recurring_runs[0]["trigger"] == {"cron_schedule": {"cron": "0 30 4 * * 1"}}
    assert result.stdout.startswith("nightly: At 04:30 on Monday (30 4 * * 1, UTC)\n")


def test_a_recurring_run_is_listed_paused_resumed_and_deleted(server: KfpServer, cluster_project: Path):
    assert fullbake(server, cluster_project, "schedule", "--list").stdout == "no recurring runs\n"
    fullbake(server, cluster_project, "schedule", "--cron", "0 2 * * *")
    (recurring_run,) = server.recurring_runs
    server.recurring_runs.append(
        {
            **recurring_run,
            "recurring_run_id": "theirs",
            "display_name": "by-hand",
            "trigger": {"cron_schedule": {"cron": "30 0 2 * * ?"}},
        }
    )
    listed = fullbake(server, cluster_project, "schedule", "--list").stdout.splitlines()
    assert listed[0] == "nightly: At 02:00 every day (0 2 * * *, UTC)"
    assert listed[2:] == ["by-hand: 30 0 2 * * ? (theirs)"]
    paused = fullbake(server, cluster_project, "schedule", "--pause")
    assert (paused.exit_code, paused.stdout) == (0, "nightly: At 02:00 every day (0 2 * * *, UTC), paused\n")
    assert [run["status"] for run in server.recurring_runs] == ["DISABLED", "ENABLED"]
    resumed = fullbake(server, cluster_project, "schedule", "--resume")
    assert resumed.stdout.splitlines() == listed[:2]
    deleted = fullbake(server, cluster_project, "schedule", "--delete")
    assert deleted.stdout == f"deleted: nightly ({recurring_run['recurring_run_id']})\n"
    assert [run["recurring_run_id"] for run in server.recurring_runs] == ["theirs"]
    again = fullbake(server, cluster_project, "schedule", "--delete")
    assert (again.exit_code, again.stdout) == (2, "")
    assert again.stderr.startswith("fullbake: nightly: there is no recurring run of this name in namespace ann of http")


def test_options_win_over_the_environment_and_the_config(server: KfpServer, cluster_project: Path):
    fullbake(server, cluster_project, "schedule", "--list", FULLBAKE_KFP_NAMESPACE="bob")
    fullbake(server, cluster_project, "schedule", "--list", "--namespace", "ann", FULLBAKE_KFP_NAMESPACE="bob")
    fullbake(
        server, cluster_project, "schedule", "--list", "--host", server.host, FULLBAKE_KFP_HOST="http://127.0.0.1:1"
    )
    fullbake(server, cluster_project, "schedule", "--list", "--token", KEY, FULLBAKE_KFP_TOKEN=KEY.upper())
    listed = [request for request in server.requests if request.path.endswith("/recurringruns")]
    assert [request.query["namespace"] for request in listed] == ["bob", "ann", "ann", "ann"]

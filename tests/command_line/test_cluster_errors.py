from pathlib import Path

from tests.commands import answers

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


def test_errors_end_with_code_2_and_one_line_before_anything_heavy_is_imported(cluster_project: Path):
    for case, answer in zip(
        ERRORS, answers(cluster_project, [arguments for arguments, _ in ERRORS.values()]), strict=True
    ):
        assert (answer.code, answer.stdout, answer.heavy) == (2, "", []), case
        (line,) = answer.stderr.splitlines()
        assert line.startswith("fullbake: "), case
        assert ERRORS[case][1] in line
        assert "hush" not in line

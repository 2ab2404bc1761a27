import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import Answer, answers

FULLBAKE = Path(sys.executable).with_name("fullbake")
COMMANDS = ["compare", "compile", "evaluate", "init", "lineage", "models", "predict", "rollback"]
COMMANDS += ["run", "schedule", "serve", "submit", "tensorboard"]
HELP = {
    (): COMMANDS,
    ("init",): ["DATA", "--text", "--label", "--text-pair", "--output comments.yaml"],
    ("run",): ["CONFIG", "--root", "--set", "--summary", "0 pushed", "2 the config", "3 the gate refused"],
    ("compare",): ["CONFIG", "--approach", "--seeds", "--root", "--set", "--summary"],
    ("predict",): [
        *("TEXT ...", "--model", "--input", "--output", "--delimiter", "--encoding", "--quoting", "--escape-formulas"),
        *("--threshold", "--explain", "--on-bad-row", "--json", "--quiet", "LABEL=P", "stdout"),
    ],
    ("evaluate",): [
        *("FILE", "--model", "--text", "--label", "--config", "--set", "--min-recall", "--min-precision", "--slice"),
        *("--no-slices", "--on-bad-row", "--output", "--json", "--quiet", "0 every bound", "2 a file", "3 a bound"),
    ],
    ("lineage",): ["MODEL", "--root", "--json"],
    ("tensorboard",): ["RUN", "--port"],
    ("models",): ["DIR"],
    ("rollback",): ["DIR", "[VERSION]"],
    ("serve",): [
        "DIR",
        "--port",
        "--host",
        "--name",
        "--batch-rows",
        "--max-rows",
        "--max-body-mb",
        "--timeout",
        "--quiet",
    ],
    ("compile",): ["CONFIG", "--output", "--set"],
    ("submit",): [
        *("CONFIG", "--wait", "--timeout", "--host", "--token", "--cookies", "--namespace", "--set"),
        *(f"FULLBAKE_KFP_{name}" for name in ("HOST", "TOKEN", "COOKIES", "NAMESPACE")),
        *("KF_PIPELINES_ENDPOINT", "KF_PIPELINES_SA_TOKEN_PATH"),
    ],
    ("schedule",): ["CONFIG", "--cron", "--list", "--pause", "--resume", "--delete", "--stop-runs", "--experiment"],
}


@pytest.fixture(scope="module")
def helps(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], Answer]:
    commands = [[*command, "--help"] for command in HELP]
    return dict(zip(HELP, answers(tmp_path_factory.mktemp("help"), commands), strict=True))


@pytest.mark.parametrize("command", HELP)
def test_help_names_what_there_is_without_heavy_libraries(helps: dict[tuple[str, ...], Answer], command):
    answer = helps[command]
    assert (answer.code, answer.stderr, answer.heavy) == (0, "", [])
    if command and command[0] in ("init", "run", "compare", "models", "rollback", "compile", "submit", "schedule"):
        assert "--json" in answer.stdout
        assert "--quiet" in answer.stdout
    for word in HELP[command]:
        assert word in answer.stdout


def test_the_installed_script_has_every_command(tmp_path: Path):
    done = subprocess.run([FULLBAKE, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True)
    listed = done.stdout.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in listed] == COMMANDS

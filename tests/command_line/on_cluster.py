"""Commands about a cluster, in this process and with a server."""

from pathlib import Path

from click.testing import CliRunner, Result

from fullbake.command_line.main import main
from tests.kubeflow.kfp_server import KfpServer

KEY = "open-sesame"


def fullbake(server: KfpServer, folder: Path, *arguments: str, **environment: str) -> Result:
    command, *others = arguments
    result = CliRunner().invoke(
        main,
        [command, str(folder / "config.yaml"), *others],
        env={"FULLBAKE_KFP_HOST": server.host, "FULLBAKE_KFP_TOKEN": KEY} | environment,
    )
    assert KEY not in result.output
    return result


def check_caching_is_off(server: KfpServer) -> None:
    """In what the server runs; a request that names a version of its cannot say so."""
    for version in server.pipeline_versions:
        tasks = version["pipeline_spec"]["root"]["dag"]["tasks"]
        assert len(tasks) > 5
        assert [task["cachingOptions"] for task in tasks.values()] == [{"enableCache": False}] * len(tasks)

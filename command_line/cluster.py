"""What the commands about a cluster share: the check of a config, the package, and the way to the server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fullbake.command_line.terminal import loading, quiet_libraries, warn
from fullbake.kubeflow.login import find_login

if TYPE_CHECKING:
    from fullbake.kubeflow.client import KubeflowClient, Launch
    from fullbake.pipeline.config.config import Config


def check_config(config: Config) -> None:
    """Checks that a config can work on a cluster, and prints what is unwise in it.

    Raises:
        InputError: It cannot.
    """
    from fullbake.kubeflow.cluster_check import check_cluster, exposed_secrets, ignored_settings

    check_cluster(config)
    warn([*config.warnings(), *exposed_secrets(config), *ignored_settings(config)])


def connect(config: Config, **server_options: str | None) -> KubeflowClient:
    """Connects to the server that the options name.

    Args:
        config: It names the namespace, where no option does.
        server_options: `host`, `token`, `cookies` and `namespace`, as `kubeflow.login.find_login` takes them.

    Raises:
        InputError: No server is named, or it cannot be reached.
    """
    login = find_login(**server_options, default_namespace=config.kubeflow.namespace)

    from fullbake.kubeflow.client import KubeflowClient
    from fullbake.kubeflow.server import Server

    return KubeflowClient(Server(login))


def check_server(client: KubeflowClient, config: Config) -> None:
    """Checks that the server is new enough for a config, and prints what it cannot do.

    Raises:
        InputError: It is too old.
    """
    from fullbake.kubeflow.executor_platform import platform_needs
    from fullbake.kubeflow.releases import check_release
    from fullbake.kubeflow.retries import untried

    server = client.server
    check_release(server.release, platform_needs(config), server.login.host.source)
    warn(untried(server.release, config.kubeflow.retries))


def write_package_of(config: Config, output: Path, *, quiet: bool) -> None:
    """Compiles a config and writes the package; unless it is quiet, the terminal shows that this takes a while."""
    quiet_libraries()
    with loading(quiet=quiet):
        from fullbake.kubeflow.compiler import write_package
    write_package(config, output)


def prepare_launch(config: Config, experiment: str | None, folder: Path, *, quiet: bool) -> Launch:
    """Compiles a config into a package that the server can run.

    Args:
        config: What to run.
        experiment: The experiment that shows the runs; None for the config's name.
        folder: Where the package goes.
        quiet: Whether no progress is shown.
    """
    from fullbake.kubeflow.client import Launch

    package = folder / "pipeline.yaml"
    write_package_of(config, package, quiet=quiet)

    from fullbake.kubeflow.parameters import runtime_parameters
    from fullbake.kubeflow.pipeline_name import pipeline_name

    return Launch(
        name=config.name,
        pipeline=pipeline_name(config),
        experiment=experiment or config.name,
        package=package,
        parameters={parameter.name: parameter.default for parameter in runtime_parameters(config)},
        pipeline_root=config.kubeflow.pipeline_root,
        service_account=config.kubeflow.service_account,
    )

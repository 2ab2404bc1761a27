"""Pipeline versions, runs and recurring runs of Kubeflow Pipelines, by its own client.

What is used of the client is in kfp 2.5 and in the newest 2.x alike.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from fullbake.contract.errors import InputError
from fullbake.kubeflow.cron import Cron
from fullbake.kubeflow.server import Server

_PAGE_SIZE = 100  # the server returns 200 at most
_UNFINISHED = ("PENDING", "RUNNING", "PAUSED")


@dataclass(frozen=True)
class Launch:
    """What is to run.

    Attributes:
        name: Of its recurring run.
        pipeline: The pipeline's name: small letters, digits and hyphens, for a server that keeps it in Kubernetes.
        experiment: The experiment that its runs are shown in; made if it is not there.
        package: The compiled pipeline, a `.yaml` file.
        parameters: Values of the pipeline's runtime parameters.
        pipeline_root: Where artifacts are kept; `None` is the server's own place.
        service_account: What the containers run as; `None` is the server's own choice.
    """

    name: str
    pipeline: str
    experiment: str
    package: Path
    parameters: Mapping[str, str | int | float]
    pipeline_root: str | None = None
    service_account: str | None = None


@dataclass(frozen=True)
class Run:
    """A run that was submitted.

    Attributes:
        id: The server's name for it.
        version: The name of the pipeline version that it runs.
        url: Its page.
    """

    id: str
    version: str
    url: str


@dataclass(frozen=True)
class Schedule:
    """A recurring run of the server.

    Attributes:
        id: The server's name for it.
        name: Its name for people.
        cron: Six fields, the second first; `None` if it runs at intervals.
        enabled: Whether it starts runs.
        url: Its page.
    """

    id: str
    name: str
    cron: str | None
    enabled: bool
    url: str


class KubeflowClient:
    """Talks to one server, in one namespace.

    Attributes:
        server: As it was given.

    Args:
        server: Where it talks to. The token or the cookies of its login go into the requests' headers and nowhere else.

    Raises:
        InputError: In every method, where the server cannot be reached, or refuses. The text says which, and what to
            do.
    """

    def __init__(self, server: Server):
        self.server = server
        login = server.login
        self._namespace = login.namespace.value
        logging.getLogger("urllib3").setLevel(logging.ERROR)  # a warning for each further try; our error names the last
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one for every client: that it wants version 2 of the server
            import kfp

            self._client = kfp.Client(
                host=server.host,
                existing_token=login.bearer() if login.token else None,
                credentials=login if login.token_file else None,
                # Not None, for which the client takes those that it finds in ~/.config/kfp/context.json.
                cookies=login.cookies.value if login.cookies else "",
                # Any but the default: for that one, the client asks the server for its mode, five times if need be, and
                # may write ~/.config/kfp/context.json. Every call below names the namespace itself.
                namespace="-",
            )
        # The client's own connections know of no password of a proxy, nor of NO_PROXY.
        self._client._run_api.api_client.rest_client.pool_manager = server.connections

    def submit(self, launch: Launch) -> Run:
        """Uploads a pipeline as a new version and runs that once."""
        with self.server.dialogue():
            experiment_id = self._experiment(launch.experiment)
            version = self._upload(launch)
            run = self._client.run_pipeline(
                experiment_id,
                version.display_name,
                params=dict(launch.parameters),
                pipeline_id=version.pipeline_id,
                version_id=version.pipeline_version_id,
                pipeline_root=launch.pipeline_root,
                service_account=launch.service_account,
            )
        return Run(run.run_id, version.display_name, self.server.page(f"runs/details/{run.run_id}"))

    def schedule(
        self, launch: Launch, cron: Cron, max_concurrency: int, *, stop_runs: bool = False
    ) -> tuple[Schedule, list[Schedule]]:
        """Uploads a pipeline as a new version and makes its recurring run, in the place of an earlier one.

        Recurring runs cannot be changed. The new one is made before the old one is deleted, so that there is one
        whatever happens. Was the old one paused, so is the new one.

        Args:
            launch: What is to run.
            cron: When.
            max_concurrency: How many of its runs there may be at a time, 1 to 10.
            stop_runs: Whether a run of the old one that is in progress may be stopped.

        Returns:
            The recurring run, and those that it replaced.
        """
        with self.server.dialogue():
            replaced = list(self._schedules(launch.name))
            self._check_runs(launch.name, replaced, stop_runs)
            experiment_id = self._experiment(launch.experiment)
            version = self._upload(launch)
            # `enable_caching` would do nothing here: the client writes it into a package, not into a version that is
            # on the server. The compiler has switched caching off in the package itself.
            made = self._client.create_recurring_run(
                experiment_id,
                launch.name,
                cron_expression=cron.kubeflow,
                max_concurrency=max_concurrency,
                no_catchup=True,
                params=dict(launch.parameters),
                pipeline_id=version.pipeline_id,
                version_id=version.pipeline_version_id,
                enabled=not replaced or any(schedule.enabled for schedule in replaced),
                pipeline_root=launch.pipeline_root,
                service_account=launch.service_account,
            )
        try:
            self._delete(replaced)
        except InputError as error:
            raise InputError(
                f"the new recurring run {made.recurring_run_id} is there, and so is an old one: {error}; schedule again"
            ) from error
        return self._schedule(made), replaced

    def schedules(self) -> list[Schedule]:
        """Returns every recurring run of the namespace."""
        with self.server.dialogue():
            return list(self._schedules())

    def pause(self, name: str) -> list[Schedule]:
        """Lets a recurring run start no more runs."""
        return self._change(name, self._client.disable_recurring_run)

    def resume(self, name: str) -> list[Schedule]:
        """Lets a recurring run start runs again; those that it missed are not made up for."""
        return self._change(name, self._client.enable_recurring_run)

    def delete(self, name: str, *, stop_runs: bool = False) -> list[Schedule]:
        """Deletes a recurring run. The runs that it started stay, but for those that `stop_runs` lets it stop."""
        with self.server.dialogue():
            found = self._named(name)
            self._check_runs(name, found, stop_runs)
        self._delete(found)
        return found

    def _experiment(self, name: str) -> str:
        return self._client.create_experiment(name, namespace=self._namespace).experiment_id

    def _upload(self, launch: Launch) -> Any:
        """Uploads a package as a new version of its pipeline, which is made if it is not there."""
        package = str(launch.package)
        found = [
            pipeline
            for pipeline in self._every(
                "pipelines", self._client.list_pipelines, _equals("display_name", launch.pipeline)
            )
            if pipeline.display_name == launch.pipeline
        ]
        if found:
            # Kubernetes, where newer servers may keep them, wants names of versions to be unique in the namespace.
            moment = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S-%f")
            return self._client.upload_pipeline_version(
                package, f"{launch.pipeline}-{moment}", pipeline_id=found[0].pipeline_id
            )
        pipeline = self._client.upload_pipeline(package, pipeline_name=launch.pipeline, namespace=self._namespace)
        return self._client.list_pipeline_versions(pipeline.pipeline_id).pipeline_versions[0]

    def _change(self, name: str, change: Callable[[str], Any]) -> list[Schedule]:
        with self.server.dialogue():
            found = self._named(name)
            for schedule in found:
                change(schedule.id)
            return list(self._schedules(name))

    def _delete(self, schedules: Sequence[Schedule]) -> None:
        with self.server.dialogue():
            for schedule in schedules:
                self._client.delete_recurring_run(schedule.id)

    def _named(self, name: str) -> list[Schedule]:
        found = list(self._schedules(name))
        if not found:
            raise InputError(
                f"{name}: there is no recurring run of this name in namespace {self._namespace} of {self.server.host}; "
                "make it with fullbake schedule, or see what there is with --list"
            )
        return found

    def _schedules(self, name: str | None = None) -> Iterator[Schedule]:
        only = None if name is None else _equals("display_name", name)
        for run in self._every("recurring_runs", self._client.list_recurring_runs, only):
            # MySQL, which looks for it, takes small and capital letters for the same.
            if name is None or run.display_name == name:
                yield self._schedule(run)

    def _schedule(self, run: Any) -> Schedule:
        cron = run.trigger and run.trigger.cron_schedule
        return Schedule(
            id=run.recurring_run_id,
            name=run.display_name,
            cron=cron.cron if cron else None,
            enabled=run.status == "ENABLED",
            url=self.server.page(f"recurringrun/details/{run.recurring_run_id}"),
        )

    def _check_runs(self, name: str, schedules: Sequence[Schedule], stop_runs: bool) -> None:
        """Kubernetes deletes with a recurring run the workflows that it owns: kubeflow/pipelines#12573."""
        if stop_runs or not schedules:
            return
        ids = {schedule.id for schedule in schedules}
        unfinished = {"key": "state", "operation": "IN", "stringValues": {"values": _UNFINISHED}}
        for run in self._every("runs", self._client.list_runs, unfinished):
            if run.recurring_run_id in ids:
                raise InputError(
                    f"{name}: its run {run.display_name} is in progress, and Kubeflow stops it when the recurring "
                    "run is replaced or deleted; wait until it is done, or give --stop-runs"
                )

    def _every(self, kind: str, list_page: Callable[..., Any], predicate: Mapping[str, Any] | None) -> Iterator[Any]:
        wanted = None if predicate is None else json.dumps({"predicates": [predicate]})
        token = ""
        while True:
            page = list_page(page_token=token, page_size=_PAGE_SIZE, namespace=self._namespace, filter=wanted)
            yield from getattr(page, kind) or []
            token = page.next_page_token
            if not token:
                return


def _equals(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "operation": "EQUALS", "stringValue": value}

"""Kubeflow Pipelines, spoken to with its own client: pipeline versions, runs and recurring runs.

What is used of the client is in kfp 2.5 and in the newest 2.x alike.
"""

from __future__ import annotations

import http.client
import io
import json
import logging
import re
import ssl
import urllib.parse
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from kubeflow.cron import Cron
from trainer.errors import InputError

HOST_VARIABLE = "FULLBAKE_KFP_HOST"
TOKEN_VARIABLE = "FULLBAKE_KFP_TOKEN"  # noqa: S105 (the variable's name)
NAMESPACE_VARIABLE = "FULLBAKE_KFP_NAMESPACE"

_TIMEOUT_SECONDS = 20  # to answer at all; afterwards the client waits as long as it takes
_PAGE_SIZE = 100  # the server gives 200 at most
_UNFINISHED = ("PENDING", "RUNNING", "PAUSED")
_LONGEST_MESSAGE = 300  # servers tell their whole call stack


@dataclass(frozen=True)
class Launch:
    """What is to run.

    Attributes:
      name: of its recurring run.
      pipeline: the pipeline's name: small letters, digits and hyphens, for a server that keeps it in Kubernetes.
      experiment: the experiment that its runs are shown in; made if it is not there.
      package: the compiled pipeline, a ``.yaml`` file.
      parameters: values of the pipeline's runtime parameters.
      pipeline_root: where artifacts are kept; ``None`` is the server's own place.
      service_account: what the containers run as; ``None`` is the server's own choice.
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
      version: the name of the pipeline version that it runs.
      url: its page.
    """

    version: str
    url: str


@dataclass(frozen=True)
class Schedule:
    """A recurring run of the server.

    Attributes:
      id: the server's name for it.
      name: its name for people.
      cron: six fields, the second first; ``None`` if it runs at intervals.
      enabled: whether it starts runs.
      url: its page.
    """

    id: str
    name: str
    cron: str | None
    enabled: bool
    url: str


class KubeflowClient:
    """Talks to one server, in one namespace.

    Args:
      host: the server's address, with http:// or https://.
      token: a bearer token, for a server that wants one. It goes into the requests' headers and nowhere else.
      namespace: whose experiments, pipelines and runs they are; a server for a single user does not mind it.

    Attributes:
      release: the tag of the server's image, such as ``2.5.0``.

    Raises:
      InputError: here and in every method, where the server cannot be reached, or refuses. The text says which, and
        what to do.
    """

    def __init__(self, host: str | None, token: str | None, namespace: str):
        self._host = _address(host)
        self._namespace = namespace
        token = _bearer(token)
        self._check_that_it_answers(token)
        logging.getLogger("urllib3").setLevel(logging.ERROR)  # a warning for each further try; we tell the end
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one for every client: that it wants version 2 of the server
            import kfp

            self._client = kfp.Client(
                host=self._host,
                existing_token=token,
                # Any but the default: for that one, the client asks the server for its mode, five times if need be, and
                # may write ~/.config/kfp/context.json. Every call below names the namespace itself.
                namespace="-",
                ssl_ca_cert=ssl.get_default_verify_paths().cafile,  # SSL_CERT_FILE, for a certificate of one's own
            )

    def submit(self, launch: Launch) -> Run:
        """Uploads a pipeline as a new version and runs that once."""
        with self._dialogue():
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
        return Run(version.display_name, self._page(f"runs/details/{run.run_id}"))

    def schedule(
        self, launch: Launch, cron: Cron, max_concurrency: int, *, stop_runs: bool = False
    ) -> tuple[Schedule, list[Schedule]]:
        """Uploads a pipeline as a new version and makes its recurring run, in the place of an earlier one.

        Recurring runs cannot be changed. The new one is made before the old one is deleted, so that there is one
        whatever happens. Was the old one paused, so is the new one.

        Args:
          launch: what is to run.
          cron: when.
          max_concurrency: how many of its runs there may be at a time, 1 to 10.
          stop_runs: whether a run of the old one that is in progress may be stopped.

        Returns:
          The recurring run, and those that it replaced.
        """
        with self._dialogue():
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
        """Every recurring run of the namespace."""
        with self._dialogue():
            return list(self._schedules())

    def pause(self, name: str) -> list[Schedule]:
        """Lets a recurring run start no more runs."""
        return self._change(name, self._client.disable_recurring_run)

    def resume(self, name: str) -> list[Schedule]:
        """Lets a recurring run start runs again; those that it missed are not made up for."""
        return self._change(name, self._client.enable_recurring_run)

    def delete(self, name: str, *, stop_runs: bool = False) -> list[Schedule]:
        """Deletes a recurring run. The runs that it started stay, but for those that ``stop_runs`` lets it stop."""
        with self._dialogue():
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
        with self._dialogue():
            found = self._named(name)
            for schedule in found:
                change(schedule.id)
            return list(self._schedules(name))

    def _delete(self, schedules: Sequence[Schedule]) -> None:
        with self._dialogue():
            for schedule in schedules:
                self._client.delete_recurring_run(schedule.id)

    def _named(self, name: str) -> list[Schedule]:
        found = list(self._schedules(name))
        if not found:
            raise InputError(
                f"{name}: there is no recurring run of this name in namespace {self._namespace} of {self._host}; "
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
            url=self._page(f"recurringrun/details/{run.recurring_run_id}"),
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

    def _page(self, path: str) -> str:
        return f"{self._host}/#/{path}"

    @contextmanager
    def _dialogue(self) -> Iterator[None]:
        """Keeps the client from printing, and tells its errors as ours."""
        import kfp_server_api
        import urllib3

        try:
            with redirect_stdout(io.StringIO()):
                yield
        except kfp_server_api.ApiException as error:
            raise self._refusal(error.status, error.reason, error.body) from error
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(getattr(error, "reason", None) or error) from error

    def _check_that_it_answers(self, token: str | None) -> None:
        """The client itself waits for minutes for a host that is not there, and takes a login page for an answer."""
        address = urllib.parse.urlsplit(self._host)
        connect = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        try:
            connection = connect(address.netloc, timeout=_TIMEOUT_SECONDS)
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            connection.request("GET", f"{address.path}/apis/v2beta1/healthz", headers=headers)
            response = connection.getresponse()
            body = response.read()
            connection.close()
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error
        if 300 <= response.status < 400:
            raise self._refusal(401, "it redirects, to a login most likely", None)
        if response.status != 200:
            raise self._refusal(response.status, response.reason, body)
        healthy = _parsed(body)
        if not isinstance(healthy, dict):
            raise InputError(
                f"--host: {self._host} answers, but not as Kubeflow Pipelines does; look at the address, with its path"
            )
        self.release = str(healthy.get("tag_name", ""))

    def _unreachable(self, error: object) -> InputError:
        reason = re.sub("<.*?>: ", "", str(error))  # urllib3 shows its objects
        return InputError(
            f"--host: {self._host} cannot be reached: {_line(reason)}; look at the address, and whether the network, "
            "the VPN or the port-forward is up"
        )

    def _refusal(self, status: int, reason: str, body: str | bytes | None) -> InputError:
        answer = _parsed(body)
        told = (answer.get("message") or answer.get("error_message")) if isinstance(answer, dict) else None
        what = f"{status} {_line(reason)}" + (f": {_line(told)}" if told else "")
        if status in (401, 403):
            return InputError(
                f"--host: {self._host} refuses the request ({what}); give a token that may use namespace "
                f"{self._namespace!r} in {TOKEN_VARIABLE}, or another --namespace"
            )
        if status == 404:
            return InputError(f"--host: {self._host} answers {what}; look at the address, with its path")
        return InputError(f"--host: {self._host} answers {what}; mend what it names, or ask who runs the server")


def _address(host: str | None) -> str:
    if not host:
        raise InputError(f"--host: no server is named; give the address of Kubeflow Pipelines, or set {HOST_VARIABLE}")
    address = urllib.parse.urlsplit(host)
    # An address with a user's name may hold the password, too: it is not repeated.
    if address.scheme not in ("http", "https") or not address.hostname or "@" in address.netloc:
        raise InputError("--host: not an address of a server; write it as https://name or http://name:port")
    return f"{address.scheme}://{address.netloc}{address.path.rstrip('/')}"


def _bearer(token: str | None) -> str | None:
    token = (token or "").strip()
    if not all("!" <= character <= "~" for character in token):
        raise InputError(
            f"--token: it has a space, a line break or a letter that no token has; look at {TOKEN_VARIABLE}"
        )
    return token or None


def _equals(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "operation": "EQUALS", "stringValue": value}


def _parsed(body: str | bytes | None) -> Any:
    try:
        return json.loads(body or "")
    except ValueError:
        return None


def _line(message: object) -> str:
    text = " ".join(str(message).split())
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]} ..."

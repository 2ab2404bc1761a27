"""A local server that speaks what kfp's client uses of Kubeflow Pipelines' v2beta1 API, and keeps what it is told.

Its answers, limits and refusals were read from backend/src/apiserver of kubeflow/pipelines, 2.0.5 to 2.17.0.
"""

import base64
import json
import urllib.parse
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import yaml

from tests.kubeflow.argo_workflow import Workflow
from tests.kubeflow.server_cron import RefusalError, check_cron

API = "/apis/v2beta1"
FILTER_KEYS = {
    "experiments": {"experiment_id", "display_name", "created_at", "namespace", "storage_state"},
    "pipelines": {"pipeline_id", "display_name", "created_at", "namespace"},
    "pipeline_versions": {"pipeline_version_id", "display_name", "created_at"},
    "runs": {"run_id", "display_name", "created_at", "state", "storage_state", "experiment_id"},
    "recurring_runs": {"recurring_run_id", "display_name", "created_at", "updated_at"},
}


@dataclass
class Request:
    """What the client sent."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    authorization: str | None
    cookie: str | None


@dataclass
class KfpServer:
    """The server's state.

    Attributes:
        token: The bearer token that it wants; without one it asks for none.
        release: The tag of its image.
        cookie: The session's cookie that it wants; else it shows the login page.
        multi_user: Whether everything belongs to a namespace; if not, namespaces are not heeded.
        allowed_namespaces: With `multi_user`, those that the token may use.
        max_page_size: No page has more.
        failures: (method, path) -> the status that is given instead of doing it.
        course: What becomes of a run, look by look: a workflow, or the status that is given instead, where 0 hangs up.
            The last one stays.
        logs: The logs of pods, by the address that they are asked for at.
    """

    token: str | None = None
    release: str = "2.5.0"
    cookie: str | None = None
    multi_user: bool = False
    allowed_namespaces: tuple[str, ...] = ()
    max_page_size: int = 200
    failures: dict[tuple[str, str], int] = field(default_factory=dict)
    course: list[Workflow | int] = field(default_factory=list)
    logs: dict[str, str] = field(default_factory=dict)
    host: str = ""
    requests: list[Request] = field(default_factory=list)
    experiments: list[dict[str, Any]] = field(default_factory=list)
    pipelines: list[dict[str, Any]] = field(default_factory=list)
    pipeline_versions: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    recurring_runs: list[dict[str, Any]] = field(default_factory=list)
    ticks: int = 0

    def sent(self, method: str, path: str) -> list[Any]:
        """The bodies of the requests of this kind, first to last."""
        return [request.body for request in self.requests if (request.method, request.path) == (method, API + path)]

    def start_run_of(self, recurring_run_id: str, state: str = "RUNNING") -> None:
        """Does what the controller does when a recurring run is due."""
        self.runs.append(
            {
                "run_id": str(uuid.uuid4()),
                "display_name": "nightly-1",
                "state": state,
                "recurring_run_id": recurring_run_id,
                "namespace": next(
                    run["namespace"] for run in self.recurring_runs if run["recurring_run_id"] == recurring_run_id
                ),
                "created_at": self._now(),
            }
        )

    def answer(self, request: Request) -> Any:
        if self.token is not None and request.authorization != f"Bearer {self.token}":
            raise RefusalError(
                401, "Failed to authorize the request: Request header error: there is no user identity header"
            )
        if self.cookie is not None and request.cookie != self.cookie:
            raise RefusalError(302, "Found")
        failure = self.failures.get((request.method, request.path.removeprefix(API)))
        if failure is not None:
            raise RefusalError(failure, "injected")
        log = self.logs.get(
            f"{request.path} {request.query['podname']}" if "podname" in request.query else request.path
        )
        if log is not None:
            return log.encode()
        match request.method, request.path.removeprefix(API).strip("/").split("/"):
            case "GET", ["healthz"]:
                return {"commit_sha": "0", "tag_name": self.release, "multi_user": self.multi_user}
            case "GET", ["experiments" | "pipelines" | "runs" as kind]:
                return self._list(kind, getattr(self, kind), request.query)
            case "GET", ["runs", run_id]:
                run = self._find(self.runs, "run_id", run_id)
                return run | self._look() if self.course else run
            case "GET", ["apis", "v1beta1", "runs", run_id]:
                (workflow,) = self.course
                assert isinstance(workflow, Workflow)
                return {"run": {"id": run_id}, "pipeline_runtime": {"workflow_manifest": workflow.manifest()}}
            case "GET", ["recurringruns"]:
                return self._list("recurring_runs", self.recurring_runs, request.query)
            case "GET", ["pipelines", pipeline_id, "versions"]:
                versions = [version for version in self.pipeline_versions if version["pipeline_id"] == pipeline_id]
                return self._list("pipeline_versions", versions, {**request.query, "namespace": None})
            case "POST", ["experiments"]:
                return self._create_experiment(request.body)
            case "POST", ["pipelines", "upload"]:
                return self._upload_pipeline(request)
            case "POST", ["pipelines", "upload_version"]:
                pipeline = self._find(self.pipelines, "pipeline_id", request.query["pipelineid"])
                self._authorize(pipeline["namespace"])
                return self._add_version(pipeline, request.query["name"], request.body)
            case "POST", ["runs"]:
                return self._create_run(request.body)
            case "POST", ["recurringruns"]:
                return self._create_recurring_run(request.body)
            case "POST", ["recurringruns", action]:
                recurring_run_id, _, mode = action.partition(":")
                run = self._find(self.recurring_runs, "recurring_run_id", recurring_run_id)
                run["status"] = {"enable": "ENABLED", "disable": "DISABLED"}[mode]
                return {}
            case "DELETE", ["recurringruns", recurring_run_id]:
                run = self._find(self.recurring_runs, "recurring_run_id", recurring_run_id)
                self.recurring_runs.remove(run)
                return {}
        raise RefusalError(404, "Not Found")

    def _look(self) -> dict[str, Any]:
        seen = self.course.pop(0) if len(self.course) > 1 else self.course[0]
        if isinstance(seen, Workflow):
            return seen.told()
        raise RefusalError(seen, "injected")

    def _now(self) -> str:
        self.ticks += 1
        moment = datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=self.ticks)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def _authorize(self, namespace: str) -> str:
        if not self.multi_user:
            return ""
        if not namespace:
            raise RefusalError(400, "Namespace cannot be empty in multi-user mode")
        if namespace not in self.allowed_namespaces:
            raise RefusalError(403, f"User 'somebody' is not authorized in namespace '{namespace}'")
        return namespace

    def _find(self, items: list[dict[str, Any]], key: str, value: str) -> dict[str, Any]:
        for item in items:
            if item[key] == value:
                return item
        raise RefusalError(404, f"{value} not found")

    def _list(self, kind: str, items: list[dict[str, Any]], query: dict[str, Any]) -> dict[str, Any]:
        if query.get("namespace") is not None:
            namespace = self._authorize(query["namespace"])
            # A single-user server lists everything, the recurring runs too, which bear its own namespace.
            items = [item for item in items if not self.multi_user or item["namespace"] == namespace]
        elif self.multi_user and kind != "pipeline_versions":
            raise RefusalError(400, "Namespace cannot be empty in multi-user mode")
        wanted = urllib.parse.unquote_plus(query.get("filter") or "")
        for predicate in json.loads(wanted or "{}").get("predicates", []):
            items = [item for item in items if _fits(kind, item, predicate)]
        start = 0
        if query.get("page_token"):
            token = json.loads(base64.b64decode(query["page_token"]))
            if token["filter"] != wanted:
                raise RefusalError(400, "page token does not match the supplied sort by and/or filtering criteria")
            start = token["start"]
        size = min(int(query.get("page_size") or 20), self.max_page_size)
        key = "recurringRuns" if kind == "recurring_runs" else kind  # so the proto says
        page: dict[str, Any] = {key: items[start : start + size], "total_size": len(items)} if items else {}
        if start + size < len(items):
            rest = json.dumps({"start": start + size, "filter": wanted})
            page["next_page_token"] = base64.b64encode(rest.encode()).decode()
        return page

    def _create_experiment(self, body: dict[str, Any]) -> dict[str, Any]:
        namespace = self._authorize(body.get("namespace", ""))
        experiment = {
            "experiment_id": str(uuid.uuid4()),
            "display_name": body["display_name"],
            "namespace": namespace,
            "created_at": self._now(),
        }
        self.experiments.append(experiment)
        return experiment

    def _upload_pipeline(self, request: Request) -> dict[str, Any]:
        namespace = self._authorize(request.query.get("namespace", ""))
        name = request.query["name"]
        if any((pipeline["display_name"], pipeline["namespace"]) == (name, namespace) for pipeline in self.pipelines):
            raise RefusalError(409, "Failed to create a pipeline and a pipeline version")
        pipeline = {
            "pipeline_id": str(uuid.uuid4()),
            "display_name": name,
            "namespace": namespace,
            "created_at": self._now(),
        }
        self._add_version(pipeline, name, request.body)
        self.pipelines.append(pipeline)
        return pipeline

    def _add_version(self, pipeline: dict[str, Any], name: str, package: str) -> dict[str, Any]:
        documents = list(yaml.safe_load_all(package))
        if documents[0].get("schemaVersion") != "2.1.0":
            raise RefusalError(400, "KFP only supports schema version 2.1.0")
        # Kept by Kubernetes, two of a name may not be in a namespace; in a database, not in a pipeline.
        names = {(version["display_name"], version["namespace"]) for version in self.pipeline_versions}
        if (name, pipeline["namespace"]) in names:
            raise RefusalError(409, "Failed to create a pipeline version")
        version = {
            "pipeline_id": pipeline["pipeline_id"],
            "namespace": pipeline["namespace"],
            "pipeline_version_id": str(uuid.uuid4()),
            "display_name": name,
            "created_at": self._now(),
            "pipeline_spec": documents[0],
        }
        self.pipeline_versions.append(version)
        return version

    def _create_run(self, body: dict[str, Any]) -> dict[str, Any]:
        experiment = self._find(self.experiments, "experiment_id", body["experiment_id"])
        self._check_inputs(body)
        run = {
            **body,
            "run_id": str(uuid.uuid4()),
            "namespace": experiment["namespace"],
            "created_at": self._now(),
            "state": "PENDING",
        }
        self.runs.append(run)
        return run

    def _create_recurring_run(self, body: dict[str, Any]) -> dict[str, Any]:
        experiment = self._find(self.experiments, "experiment_id", body["experiment_id"])
        if not 1 <= int(body.get("max_concurrency", 0)) <= 10:
            raise RefusalError(400, "Max concurrency of a recurring run must be at least 1 and at most 10")
        check_cron(body["trigger"]["cron_schedule"]["cron"])
        self._check_inputs(body)
        recurring_run = {
            **body,
            "recurring_run_id": str(uuid.uuid4()),
            "max_concurrency": str(body["max_concurrency"]),  # 64 bits are text in protobuf's JSON
            "namespace": experiment["namespace"] or "kubeflow",
            "status": {"ENABLE": "ENABLED", "DISABLE": "DISABLED"}[body["mode"]],
            "created_at": self._now(),
        }
        self.recurring_runs.append(recurring_run)
        return recurring_run

    def _check_inputs(self, body: dict[str, Any]) -> None:
        version_id = body["pipeline_version_reference"]["pipeline_version_id"]
        version = self._find(self.pipeline_versions, "pipeline_version_id", version_id)
        known = version["pipeline_spec"]["root"].get("inputDefinitions", {}).get("parameters", {})
        given = body["runtime_config"].get("parameters", {})
        for name, value in given.items():
            if name not in known:
                raise RefusalError(400, f"parameter {name} is not defined in the pipeline")
            if isinstance(value, str) != (known[name]["parameterType"] == "STRING"):
                raise RefusalError(400, f"input parameter {name} requires type {known[name]['parameterType']}")


def _fits(kind: str, item: dict[str, Any], predicate: dict[str, Any]) -> bool:
    if predicate["key"] not in FILTER_KEYS[kind]:
        raise RefusalError(400, f"no support for filtering on unrecognized field {predicate['key']!r}")
    value = item.get(predicate["key"])
    match predicate["operation"]:
        case "EQUALS" | 1:
            # The database's collation has no capital letters.
            return str(value).lower() == predicate["stringValue"].lower()
        case "IN" | 8:
            return value in predicate["stringValues"]["values"]
    raise RefusalError(400, f"invalid predicate operation: {predicate['operation']}")

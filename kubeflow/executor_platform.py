"""What a step's pod asks of Kubernetes, and the release of Kubeflow Pipelines that each of it needs.

A package says it in a document of its own, with a `KubernetesExecutorConfig` for each executor (kubernetes_platform
of kubeflow/pipelines). A driver that does not know a field stops at it, and one that knows it may pass over it all the
same: so each field has here the first release whose driver uses it, as backend/src/v2/driver of the releases shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fullbake.kubeflow.releases import OLDEST_RELEASE, Need, Release
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.config.kubeflow_config import (
    KubeflowConfig,
    NodeAffinityConfig,
    ResourcesConfig,
    SecretKeyConfig,
)
from fullbake.pipeline.outline import component_names

ADDRESS_VARIABLE = "FULLBAKE_NOTIFY_URL"
"""The variable of the containers that holds the webhook's address (`kubeflow.notify`)."""

NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""Where a container finds the namespace of its pod."""

SHARED_MEMORY = "/dev/shm"  # noqa: S108 (where Linux programs look for it)


@dataclass(frozen=True)
class _Field:
    """A field of `KubernetesExecutorConfig`.

    Attributes:
        name: As the package has it.
        since: The first release whose driver uses it.
        key: The config's key, below `kubeflow`.
        value: Of the config and of what the component asks for; nothing where neither says anything.
    """

    name: str
    since: Release
    key: str
    value: Callable[[KubeflowConfig, ResourcesConfig], Any]


def executor_platform(kubeflow: KubeflowConfig, component: str) -> dict[str, Any]:
    """Returns the `KubernetesExecutorConfig` of a component's executor, empty where the config asks for nothing."""
    return {field.name: value for field, value in _used(kubeflow, component)}


def platform_needs(config: Config) -> list[Need]:
    """Returns what the pods of a config's components ask for, with the releases that it needs."""
    kubeflow = config.kubeflow
    used = {field for component in component_names(config) for field, _ in _used(kubeflow, component)}
    return [Need(f"kubeflow.{field.key}", field.since) for field in _FIELDS if field in used]


def secret_variables(kubeflow: KubeflowConfig) -> dict[str, SecretKeyConfig]:
    """Returns the variables of a container whose values are in secrets, with the address of the webhook."""
    address = {ADDRESS_VARIABLE: kubeflow.notify} if kubeflow.notify else {}
    return {**kubeflow.secret_env, **address}


def step_resources(kubeflow: KubeflowConfig, component: str) -> ResourcesConfig:
    """Returns what the pod of a component's step asks for: nothing if it waits for workers, which ask for it."""
    own = kubeflow.resources.get(component, ResourcesConfig())
    return own if own.workers is None else ResourcesConfig()


def pod_placement(kubeflow: KubeflowConfig, own: ResourcesConfig) -> dict[str, Any]:
    """Returns the fields of a `PodSpec` that say on which nodes it runs."""
    required: list[dict[str, Any]] = []
    preferred: list[dict[str, Any]] = []
    for term in _placed("node_affinity", kubeflow, own):
        expressions = _expressions(term)
        if term.weight is None:
            required.append(expressions)
        else:
            preferred.append({"weight": term.weight, "preference": expressions})
    affinity: dict[str, Any] = {
        "requiredDuringSchedulingIgnoredDuringExecution": required and {"nodeSelectorTerms": required},
        "preferredDuringSchedulingIgnoredDuringExecution": preferred,
    }
    affinity = {name: terms for name, terms in affinity.items() if terms}
    fields = {
        "nodeSelector": dict(_placed("node_selector", kubeflow, own)),
        "tolerations": _tolerations(kubeflow, own),
        "affinity": affinity and {"nodeAffinity": affinity},
    }
    return {name: value for name, value in fields.items() if value}


def _used(kubeflow: KubeflowConfig, component: str) -> Iterator[tuple[_Field, Any]]:
    own = step_resources(kubeflow, component)
    for field in _FIELDS:
        value = field.value(kubeflow, own)
        if value:
            yield field, value


def _placed(key: str, kubeflow: KubeflowConfig, own: ResourcesConfig) -> Any:
    """Returns what a component says of its node, or else what is said for all."""
    of_component = getattr(own, key)
    return getattr(kubeflow, key) if of_component is None else of_component


def _expressions(term: NodeAffinityConfig) -> dict[str, Any]:
    return {"matchExpressions": [each.model_dump(mode="json") for each in term.match_expressions]}


def _pvc_mount(kubeflow: KubeflowConfig, own: ResourcesConfig) -> Any:
    volume = kubeflow.volume
    # Newer releases call `constant` and `secretName` deprecated and read them; older ones know nothing else.
    return volume and [{"constant": volume.claim, "mountPath": volume.mount_path}]


def _secret_as_volume(kubeflow: KubeflowConfig, own: ResourcesConfig) -> Any:
    return [{"secretName": mount.secret, "mountPath": mount.mount_path} for mount in kubeflow.secret_mounts]


def _secret_as_env(kubeflow: KubeflowConfig, own: ResourcesConfig) -> Any:
    return [
        {"secretName": source.secret, "keyToEnv": [{"secretKey": source.key, "envVar": name}]}
        for name, source in secret_variables(kubeflow).items()
    ]


def _image_pull_secret(kubeflow: KubeflowConfig, own: ResourcesConfig) -> Any:
    return kubeflow.image_pull_secret and [{"secretName": kubeflow.image_pull_secret}]


def _node_selector(kubeflow: KubeflowConfig, own: ResourcesConfig) -> Any:
    labels: Mapping[str, str] = _placed("node_selector", kubeflow, own)
    return labels and {"labels": dict(labels)}


def _tolerations(kubeflow: KubeflowConfig, own: ResourcesConfig) -> Any:
    return [each.model_dump(exclude_none=True) for each in _placed("tolerations", kubeflow, own)]


def _node_affinity(kubeflow: KubeflowConfig, own: ResourcesConfig) -> Any:
    return [
        _expressions(term) | ({} if term.weight is None else {"weight": term.weight})
        for term in _placed("node_affinity", kubeflow, own)
    ]


def _shared_memory(kubeflow: KubeflowConfig, own: ResourcesConfig) -> Any:
    # There is a field `enabledSharedMemory`, too: no driver up to 2.17.0 looks at it.
    return own.shared_memory_gb and [
        {
            "volumeName": "shared-memory",
            "mountPath": SHARED_MEMORY,
            "medium": "Memory",
            "sizeLimit": f"{own.shared_memory_gb:g}G",
        }
    ]


def _pod_metadata(kubeflow: KubeflowConfig, own: ResourcesConfig) -> Any:
    metadata = {"labels": kubeflow.pod_labels, "annotations": kubeflow.pod_annotations}
    return {name: dict(values) for name, values in metadata.items() if values}


def _security_context(kubeflow: KubeflowConfig, own: ResourcesConfig) -> Any:
    context = kubeflow.security_context
    # Integers of 64 bits are strings in JSON's protobuf.
    values = {"runAsUser": context.run_as_user, "runAsGroup": context.run_as_group}
    fields: dict[str, Any] = {name: str(value) for name, value in values.items() if value is not None}
    return fields | ({"runAsNonRoot": True} if context.run_as_non_root else {})


def _active_deadline(kubeflow: KubeflowConfig, own: ResourcesConfig) -> Any:
    return kubeflow.timeout_minutes and str(kubeflow.timeout_minutes * 60)


_FIELDS = (
    _Field("pvcMount", OLDEST_RELEASE, "volume", _pvc_mount),
    _Field("secretAsVolume", OLDEST_RELEASE, "secret_mounts", _secret_as_volume),
    _Field("secretAsEnv", OLDEST_RELEASE, "secret_env and notify", _secret_as_env),
    _Field("nodeSelector", OLDEST_RELEASE, "node_selector", _node_selector),
    _Field("imagePullSecret", (2, 1, 0), "image_pull_secret", _image_pull_secret),
    _Field("imagePullPolicy", (2, 1, 0), "image_pull_policy", lambda kubeflow, own: kubeflow.image_pull_policy),
    _Field("podMetadata", (2, 1, 0), "pod_labels and pod_annotations", _pod_metadata),
    _Field("activeDeadlineSeconds", (2, 1, 0), "timeout_minutes", _active_deadline),
    _Field("tolerations", (2, 1, 0), "tolerations", _tolerations),
    _Field("emptyDirMounts", (2, 3, 0), "resources: shared_memory_gb", _shared_memory),
    _Field("securityContext", (2, 16, 0), "security_context", _security_context),
    # Known since 2.2.0, and passed over until 2.14.0.
    _Field("nodeAffinity", (2, 14, 0), "node_affinity", _node_affinity),
)

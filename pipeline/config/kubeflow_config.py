"""The config's sections about a cluster, in Kubernetes' own terms."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fullbake.pipeline.config.config_section import Positive, Rate, Section

# RFC 1123, as Kubernetes names its objects.
KubernetesName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
# RFC 1123 label: the backend names the pod's volume after the claim or the secret, and a volume's name has no dot.
VolumeName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
MountPath = Annotated[str, Field(pattern=r"^/[^:]+$")]
# Of labels and annotations: a name of 63 characters at most, which may have a domain before it.
MetadataKey = Annotated[
    str, Field(pattern=r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")
]
LabelValue = Annotated[str, Field(pattern=r"^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$")]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_.-][A-Za-z0-9_.-]*$")]


class AcceleratorConfig(Section):
    """A GPU or TPU, by the name of its Kubernetes resource, such as `nvidia.com/gpu` or `google.com/tpu`."""

    type: Annotated[str, Field(pattern=r"^[a-z0-9.-]+/[A-Za-z0-9_.-]+$")]
    """The resource, such as `nvidia.com/gpu`."""
    count: Positive = 1
    """How many."""


class TolerationConfig(Section):
    """A taint of a node that does not keep our containers away, in Kubernetes' own words."""

    key: str | None = None
    """The taint's key; null: every taint."""
    operator: Literal["Equal", "Exists"] = "Equal"
    """`Exists`: whatever the value."""
    value: str | None = None
    """The taint's value."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Of the taint; null: every effect."""


class NodeExpressionConfig(Section):
    """What a node's label must be, in Kubernetes' own words."""

    key: MetadataKey
    """The node's label."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    """How it is compared."""
    values: tuple[str, ...] = ()
    """What it is compared with."""

    @model_validator(mode="after")
    def _values_fit_the_operator(self) -> NodeExpressionConfig:
        wanted = {"In": "one or more", "NotIn": "one or more", "Gt": "one", "Lt": "one"}.get(self.operator, "none")
        fits = {"one or more": len(self.values) >= 1, "one": len(self.values) == 1, "none": not self.values}
        if not fits[wanted]:
            raise ValueError(f"operator: {self.operator} takes {wanted} in values, and there are {len(self.values)}")
        return self


class NodeAffinityConfig(Section):
    """Nodes to run on: those for which all expressions hold.

    Of several without a weight, one is enough. One with a weight is a wish, and no condition.
    """

    match_expressions: tuple[NodeExpressionConfig, ...]
    """All must hold."""
    weight: Annotated[int, Field(ge=1, le=100)] | None = None  # Kubernetes' own bounds
    """From 1 to 100: a wish; null: a must."""

    @model_validator(mode="after")
    def _says_something(self) -> NodeAffinityConfig:
        if not self.match_expressions:
            raise ValueError("match_expressions: is empty; name what a node's labels must be")
        return self


class ResourcesConfig(Section):
    """What one component's container asks for, and may not exceed; and its node, if it needs another.

    Attributes:
        cpu: Cores.
        memory_gb: Units of 10^9 bytes, as Kubeflow has them.
        accelerator: A GPU or TPU.
        shared_memory_gb: The size of `/dev/shm`, through which several GPUs of a pod speak; a part of the memory.
            Without it, a container has 64 MiB.
        workers: Pods that train together, each with all of this; they are started beside the step, also where it is
            one. Without, the step's own pod trains.
        node_selector, tolerations, node_affinity: in the place of those for all components; empty for none.
    """

    cpu: Rate | None = None
    """Cores."""
    memory_gb: Rate | None = None
    """Units of 10^9 bytes, as Kubeflow has them."""
    accelerator: AcceleratorConfig | None = None
    """A GPU or TPU."""
    shared_memory_gb: Rate | None = None
    """The size of `/dev/shm`, through which several GPUs of a pod speak; null: 64 MiB."""
    workers: Positive | None = None
    """Pods that train together, each with all of this; null: the step's own pod trains."""
    node_selector: dict[MetadataKey, LabelValue] | None = None
    """In the place of that for all components."""
    tolerations: tuple[TolerationConfig, ...] | None = None
    """In the place of those for all components."""
    node_affinity: tuple[NodeAffinityConfig, ...] | None = None
    """In the place of that for all components."""

    @model_validator(mode="after")
    def _shared_memory_is_memory(self) -> ResourcesConfig:
        if self.shared_memory_gb and self.memory_gb and self.shared_memory_gb >= self.memory_gb:
            raise ValueError(
                f"shared_memory_gb: {self.shared_memory_gb:g} is a part of memory_gb, {self.memory_gb:g}, and would "
                "leave nothing; make it less"
            )
        return self


class VolumeConfig(Section):
    """A volume that every container sees."""

    claim: VolumeName
    """The PersistentVolumeClaim."""
    mount_path: MountPath
    """Where the containers see it."""


class SecretKeyConfig(Section):
    """One value of a Kubernetes secret."""

    secret: KubernetesName
    """Its name."""
    key: str
    """Of the value."""


class SecretMountConfig(Section):
    """A Kubernetes secret as a folder of files."""

    secret: VolumeName
    """Its name."""
    mount_path: MountPath
    """Where the containers see it."""


class SecurityContextConfig(Section):
    """The user that the containers run as, where it must not be the image's user 1000.

    Attributes:
        run_as_user, run_as_group: numbers; root is none that a step needs.
        run_as_non_root: Says so to a namespace of the level "restricted", which takes no pod that does not.
    """

    run_as_user: Positive | None = None
    """A number but 0; null: the image's user, 1000."""
    run_as_group: Annotated[int, Field(ge=0)] | None = None
    """A number; null: the image's group."""
    run_as_non_root: bool = False
    """Says so to a namespace of the level "restricted"."""


class ScheduleConfig(Section):
    """When the pipeline runs on a schedule."""

    cron: str | None = None
    """Five fields, in UTC."""
    max_concurrency: Annotated[int, Field(ge=1, le=10)] = 1  # Kubeflow's own bounds
    """Runs at once."""


class KubeflowConfig(Section):
    """How the pipeline runs on a cluster."""

    image: str | None = None
    """The image of the steps; needed on a cluster, and only there."""
    namespace: KubernetesName = "kubeflow"
    """Where the runs are."""
    pipeline_root: str | None = None
    """Of artifacts: `minio://`, `s3://` or `gs://`; null: the server's own."""
    service_account: KubernetesName | None = None
    """Of the steps; null: the server's own."""
    image_pull_secret: KubernetesName | None = None
    """The secret of a private registry."""
    resources: dict[str, ResourcesConfig] = {}
    """By component, what its container asks for and may not exceed."""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    """When the image is fetched; null: Kubernetes' own rule."""
    env: dict[VariableName, str] = {}
    """Plain values, which the package shows; a secret belongs in `secret_env`."""
    secret_env: dict[VariableName, SecretKeyConfig] = {}
    """By variable, a value of a Kubernetes secret."""
    secret_mounts: tuple[SecretMountConfig, ...] = ()
    """Kubernetes secrets as folders of files."""
    volume: VolumeConfig | None = None
    """A volume that every container sees."""
    node_selector: dict[MetadataKey, LabelValue] = {}
    """Labels of the nodes to run on."""
    tolerations: tuple[TolerationConfig, ...] = ()
    """Taints of nodes that do not keep the steps away."""
    node_affinity: tuple[NodeAffinityConfig, ...] = ()
    """Nodes to run on, in Kubernetes' longer form."""
    security_context: SecurityContextConfig = SecurityContextConfig()
    """The user of the containers."""
    pod_labels: dict[MetadataKey, LabelValue] = {}
    """Labels of the pods."""
    pod_annotations: dict[MetadataKey, str] = {}
    """Annotations of the pods."""
    retries: Annotated[int, Field(ge=0)] = 0
    """Of each step."""
    timeout_minutes: Positive | None = None
    """Of each step."""
    notify: SecretKeyConfig | None = None
    """The webhook's address, which is told of each refused or failed run."""
    schedule: ScheduleConfig = ScheduleConfig()
    """When it runs by itself."""

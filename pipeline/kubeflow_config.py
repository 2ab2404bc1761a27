"""The config's sections about a cluster, in Kubernetes' own terms."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.config_section import Positive, Rate, Section

# RFC 1123, as Kubernetes names its objects.
KubernetesName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
# RFC 1123 label: the backend names the pod's volume after the claim or the secret, and a volume's name has no dot.
VolumeName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
MountPath = Annotated[str, Field(pattern=r"^/[^:]+$")]


class AcceleratorConfig(Section):
    """A GPU or TPU, by the name of its Kubernetes resource, such as ``nvidia.com/gpu`` or ``google.com/tpu``."""

    type: Annotated[str, Field(pattern=r"^[a-z0-9.-]+/[A-Za-z0-9_.-]+$")]
    count: Positive = 1


class ResourcesConfig(Section):
    """What one component's container asks for, and may not exceed."""

    cpu: Rate | None = None
    memory_gb: Rate | None = None
    accelerator: AcceleratorConfig | None = None


class VolumeConfig(Section):
    """A volume that every container sees."""

    claim: VolumeName
    mount_path: MountPath


class SecretKeyConfig(Section):
    """One value of a Kubernetes secret."""

    secret: KubernetesName
    key: str


class SecretMountConfig(Section):
    """A Kubernetes secret as a folder of files."""

    secret: VolumeName
    mount_path: MountPath


class TolerationConfig(Section):
    """A taint of a node that does not keep our containers away, in Kubernetes' own words."""

    key: str | None = None
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None


class ScheduleConfig(Section):
    """When the pipeline runs by itself."""

    cron: str | None = None
    max_concurrency: Annotated[int, Field(ge=1, le=10)] = 1  # Kubeflow's own bounds


class KubeflowConfig(Section):
    """How the pipeline runs on a cluster."""

    image: str | None = None
    namespace: KubernetesName = "kubeflow"
    pipeline_root: str | None = None
    service_account: KubernetesName | None = None
    image_pull_secret: KubernetesName | None = None
    resources: dict[str, ResourcesConfig] = {}
    env: dict[str, str] = {}
    secret_env: dict[str, SecretKeyConfig] = {}
    secret_mounts: tuple[SecretMountConfig, ...] = ()
    volume: VolumeConfig | None = None
    node_selector: dict[str, str] = {}
    tolerations: tuple[TolerationConfig, ...] = ()
    retries: Annotated[int, Field(ge=0)] = 0
    timeout_minutes: Positive | None = None
    schedule: ScheduleConfig = ScheduleConfig()

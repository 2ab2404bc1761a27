"""A config that places pods, and what their pods must have of it."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Placed(NamedTuple):
    """What the config says for all and for the first component, and what of it their pods must have."""

    general: str
    own: str
    found: Callable[[dict[str, Any]], Any]
    wanted: tuple[Any, Any]


PLACED = [
    Placed(
        "kubeflow.node_selector={pool: cpu}",
        "kubeflow.resources.CsvExampleGen.node_selector={pool: gpu}",
        lambda pod: pod.get("nodeSelector"),
        ({"pool": "gpu"}, {"pool": "cpu"}),
    ),
    Placed(
        "kubeflow.tolerations=[{key: gpu, operator: Exists, effect: NoSchedule}]",
        "kubeflow.resources.CsvExampleGen.tolerations=[]",
        lambda pod: pod.get("tolerations"),
        (None, [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}]),
    ),
    Placed(
        "kubeflow.node_affinity=[{match_expressions: [{key: spot, operator: DoesNotExist}], weight: 5}]",
        "kubeflow.resources.CsvExampleGen.node_affinity=[{match_expressions: [{key: z, operator: In, values: [a]}]}]",
        lambda pod: pod.get("affinity", {}).get("nodeAffinity"),
        (
            {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": "z", "operator": "In", "values": ["a"]}]},
                    ]
                }
            },
            {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 5, "preference": {"matchExpressions": [{"key": "spot", "operator": "DoesNotExist"}]}}
                ]
            },
        ),
    ),
    Placed(
        "kubeflow.resources.CsvExampleGen.memory_gb=4",
        "kubeflow.resources.CsvExampleGen.shared_memory_gb=1.5",
        lambda pod: [volume["emptyDir"] for volume in pod["volumes"] if volume["name"] == "shared-memory"],
        ([{"medium": "Memory", "sizeLimit": "1500M"}], []),
    ),
    Placed(
        "kubeflow.security_context.run_as_non_root=true",
        "kubeflow.security_context.run_as_user=4321",
        lambda pod: {**pod["containers"][0].get("securityContext", {}), "capabilities": None},
        ({"runAsUser": 4321, "runAsNonRoot": True, "capabilities": None},) * 2,
    ),
    Placed(
        "kubeflow.image_pull_policy=Always",
        "kubeflow.timeout_minutes=90",
        lambda pod: (pod["containers"][0].get("imagePullPolicy"), pod.get("activeDeadlineSeconds")),
        (("Always", 5400), ("Always", 5400)),
    ),
]

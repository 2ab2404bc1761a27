"""What the emulation cannot show: engines that work on a bucket itself."""

import pytest

from kubeflow.cluster import PRODUCTION, cluster_places
from kubeflow.entrypoint import place_of_artifacts
from pipeline.graph import create_components

URI = "gs://bucket/v2/artifacts/x"
FLINK = ["beam.args=[--runner=FlinkRunner]", "kubeflow.pipeline_root=gs://bucket"]


@pytest.mark.parametrize(
    ("component", "overrides", "place"),
    [
        ("Transform", [], "/gcs/bucket/v2/artifacts/x"),
        ("Transform", ["beam.args=[--direct_running_mode=multi_processing]"], "/gcs/bucket/v2/artifacts/x"),
        ("Transform", FLINK, URI),
        ("CsvExampleGen", FLINK, URI),
        ("Evaluator", FLINK, URI),
        ("Trainer", FLINK, "/gcs/bucket/v2/artifacts/x"),
        ("Pusher", FLINK, "/gcs/bucket/v2/artifacts/x"),
    ],
)
def test_what_workers_elsewhere_have_to_see_is_not_in_a_folder_of_the_container(
    cluster_config, component: str, overrides: list[str], place: str
):
    config = cluster_config(*overrides)
    components = create_components(config, cluster_places(config), PRODUCTION)
    (node,) = [node for node in components if node.id == component]
    assert place_of_artifacts(node, config)(URI) == place

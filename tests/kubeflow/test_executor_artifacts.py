import pytest
from tfx.types import standard_artifacts

from fullbake.kubeflow.executor_artifacts import to_local, to_remote, write_artifacts


@pytest.mark.parametrize(
    ("address", "folder"),
    [
        ("minio://mlpipeline/v2/artifacts/x", "/minio/mlpipeline/v2/artifacts/x"),
        ("s3://bucket/v2/artifacts/x", "/s3/bucket/v2/artifacts/x"),
        ("gs://bucket/v2/artifacts/x", "/gcs/bucket/v2/artifacts/x"),
    ],
)
def test_each_object_store_has_the_launchers_folder_and_the_way_back(address: str, folder: str):
    assert to_local(address) == folder
    assert to_remote(folder) == address


@pytest.mark.parametrize("path", ["/mnt/fullbake/serving/3", "hdfs://host/x", "a text about s3://"])
def test_what_is_in_no_object_store_stays_as_it_is(path: str):
    assert to_local(path) == to_remote(path) == path


def test_properties_without_a_text_or_a_number_are_left_out_for_the_launcher_refuses_null():
    statistics = standard_artifacts.ExampleStatistics()
    statistics.uri = "/s3/bucket/statistics"
    statistics.span = 3
    statistics.split_names = '["train", "eval"]'
    statistics.mlmd_artifact.properties["sample_rate_by_split"].struct_value.update({"train": 0.5})
    statistics.set_string_custom_property("stats_file", "/s3/bucket/statistics/x")
    statistics.set_float_custom_property("seconds", 1.5)
    assert write_artifacts({"statistics": [statistics]}) == {
        "statistics": {
            "artifacts": [
                {
                    "uri": "s3://bucket/statistics",
                    "metadata": {
                        "span": 3,
                        "split_names": '["train", "eval"]',
                        "stats_file": "s3://bucket/statistics/x",
                        "seconds": 1.5,
                    },
                }
            ]
        }
    }

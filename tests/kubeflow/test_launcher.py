import pytest

from kubeflow.launcher import to_local, to_remote


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

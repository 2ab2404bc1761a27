import pytest

from fullbake.command_line.cluster import check_config
from fullbake.pipeline.config.loading import make_config

VALUES = {
    "name": "nightly",
    "data": {"input_base": "gs://bucket/data", "labels": ["good", "bad"]},
    "gate": {"min_recall": {"good": 0.5, "bad": 0.5}},
    "push": {"serving_dir": "gs://bucket/serving"},
    "kubeflow": {"image": "registry/fullbake:1"},
}


@pytest.mark.parametrize("uri", [None, "http://mlflow:5000"])
def test_that_runs_on_a_cluster_are_not_logged_is_a_warning_where_the_config_asks_for_it(uri, capsys):
    check_config(make_config({**VALUES, "tracking": {"mlflow_uri": uri}}, {}, "config"))
    told = capsys.readouterr().err
    warned = "warning: tracking.mlflow_uri: only runs on one machine, of fullbake run, are logged" in told
    assert warned == (uri is not None), told

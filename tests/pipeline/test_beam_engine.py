"""Beam components on an engine of its own: a job server and its workers in other processes than the run."""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import tensorflow as tf
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.stager import Stager
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline

from fullbake.pipeline.beam_engine import beam_engine, distributed_runner
from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.graph import create_components, input_locations
from fullbake.pipeline.outline import Places
from fullbake.pipeline.store import METADATA_FILE
from fullbake.trainer.locations import located
from tests.pipeline.planted import ROWS, planted_rows, write_config, write_csv

ROOT = Path(__file__).parents[2]
IMPORT_EVERYTHING = """
import importlib, pkgutil, fullbake
for module in pkgutil.walk_packages(fullbake.__path__, "fullbake."):
    importlib.import_module(module.name)
print(fullbake.__file__)
"""


@pytest.mark.parametrize(
    ("args", "runner"),
    [
        ([], None),
        (["--direct_running_mode=multi_processing"], None),
        (["--runner=DirectRunner"], None),
        (["--runner", "apache_beam.runners.direct.direct_runner.BundleBasedDirectRunner"], None),
        (["--runner=directrunner"], None),
        (["--project=x", "--runner=DataflowRunner"], "DataflowRunner"),
        (["--runner", "FlinkRunner", "--flink_master=flink:8081"], "FlinkRunner"),
    ],
)
def test_whose_workers_are_elsewhere(args, runner):
    assert distributed_runner(args) == runner


def test_an_engines_workers_get_a_package_that_works_without_this_folder(tmp_path: Path):
    with beam_engine(["--runner=FlinkRunner"]) as args:
        options = PipelineOptions(args)
        Stager.create_job_resources(options, str(tmp_path), log_submission_env_dependencies=False)
    (packed,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    installed = tmp_path / "installed"
    subprocess.run(
        [
            *("sh", "tools/uv.sh", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"),
            *("--python", sys.executable, "--target", installed, source),
        ],
        cwd=ROOT,
        check=True,
    )
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EVERYTHING],
        cwd="/",
        env={"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
    )
    assert Path(done.stdout.strip()).is_relative_to(installed), done.stderr
    links = [link for link in (ROOT / "fullbake").iterdir() if link.is_symlink()]
    sources = {Path(link.name, file.relative_to(link)) for link in links for file in link.glob("**/*")}
    packed = {file.relative_to(installed / "fullbake") for file in (installed / "fullbake").glob("**/*")}
    kinds = (".py", ".html", ".css")
    assert {file for file in sources if file.suffix in kinds} == {
        file for file in packed if file.suffix in kinds and len(file.parts) > 1
    }
    assert Path("py.typed") in packed


def test_the_data_components_run_on_a_job_server(base: Path, job_server: str, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["fullbake"])  # TFX's Beam executors read it for flags of theirs
    write_csv(tmp_path / "data/rows.csv", ["id", "text", "label"], planted_rows())
    file = write_config(tmp_path, str(base), data={"label_map": {0: "kind", 1: "rude", 2: "plain"}})
    engine = ["--runner=PortableRunner", f"--job_endpoint={job_server}", "--environment_type=LOOPBACK"]
    config = load_config(file)
    components = create_components(config, Places(str(tmp_path / "out"), str(tmp_path / "serving"), None, None), "")
    (transform,) = [number for number, component in enumerate(components) if component.id == "Transform"]
    with beam_engine(engine) as args, located(input_locations(config, base)):
        pipeline = Pipeline(
            "planted",
            str(tmp_path / "out"),
            sqlite_metadata_connection_config(str(tmp_path / METADATA_FILE)),
            components[: transform + 1],
            beam_pipeline_args=args,
        )
        LocalDagRunner().run(pipeline)
    files = [str(file) for file in (tmp_path / "out/Transform/transformed_examples").glob("*/Split-*/*.gz")]
    records = [
        tf.train.Example.FromString(record) for record in tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator()
    ]
    assert ROWS / 2 < len(records) < ROWS  # the test split stays raw
    assert {len(record.features.feature["input_ids"].int64_list.value) for record in records} == {32}
    served = (tmp_path / "job-server.log").read_text()
    assert served.count("with state DONE") == 3  # of ExampleGen, StatisticsGen and Transform

"""From the CSV to tokens on a real Flink and a real Spark of two workers: the same as in this process."""

import sys
from collections import Counter
from pathlib import Path

import apache_beam as beam
import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from apache_beam.options.pipeline_options import PipelineOptions
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline

from fullbake.pipeline.beam_engine import beam_engine
from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.graph import create_components, input_locations
from fullbake.pipeline.outline import Places
from fullbake.pipeline.store import METADATA_FILE
from fullbake.trainer.locations import located
from tests.pipeline.engine_processes import (
    ENGINES_VARIABLE,
    WORKERS,
    engines_folder,
    flink,
    read_json,
    spark,
    worker_pool,
)
from tests.pipeline.planted import ROWS, planted_rows, write_config, write_csv

ENGINES = engines_folder()
pytestmark = pytest.mark.skipif(ENGINES is None, reason=f"{ENGINES_VARIABLE} names no folder with Flink and Spark")

STEPS_ON_BEAM = 3  # CsvExampleGen, StatisticsGen and Transform


def run(base: Path, folder: Path, engine: list[str]) -> Path:
    """Runs the components from CSV to tokens; returns where their outputs are."""
    write_csv(folder / "data/rows.csv", ["id", "text", "label"], planted_rows())
    file = write_config(folder, str(base), data={"label_map": {0: "kind", 1: "rude", 2: "plain"}})
    config = load_config(file)
    out = folder / "out"
    components = create_components(config, Places(str(out), str(folder / "serving"), None, None), "")
    (transform,) = [number for number, component in enumerate(components) if component.id == "Transform"]
    with beam_engine(engine) as args, located(input_locations(config, base)):
        pipeline = Pipeline(
            "planted",
            str(out),
            sqlite_metadata_connection_config(str(folder / METADATA_FILE)),
            components[: transform + 1],
            beam_pipeline_args=args,
        )
        LocalDagRunner().run(pipeline)
    return out


def rows(out: Path) -> dict[str, Counter[bytes]]:
    """How often each transformed row is in each split."""
    found = {}
    for split in ("train", "eval"):
        files = [str(file) for file in (out / "Transform/transformed_examples").glob(f"*/Split-{split}/*.gz")]
        records = tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator()
        found[split] = Counter(
            tf.train.Example.FromString(record).SerializeToString(deterministic=True) for record in records
        )
    return found


def schema(out: Path) -> schema_pb2.Schema:
    """What the schema says, in the order of names."""
    (file,) = (out / "ConfigSchema/schema").glob("*/schema.pbtxt")
    return tfdv.load_schema_text(str(file))


def counts(out: Path) -> dict[str, dict[str, tuple[int, ...]]]:
    """What the statistics count, by split: rows, and of each feature its values, distinct ones and lengths."""
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    for file in (out / "StatisticsGen/statistics").glob("*/Split-*/FeatureStats.pb"):
        (dataset,) = tfdv.load_stats_binary(str(file)).datasets
        found[file.parent.name] = {"": (dataset.num_examples,)}
        for feature in dataset.features:
            (name,) = feature.path.step
            common = (feature.string_stats if feature.HasField("string_stats") else feature.num_stats).common_stats
            found[file.parent.name][name] = (
                *(common.num_non_missing, common.num_missing, common.min_num_values, common.max_num_values),
                *(common.tot_num_values, feature.string_stats.unique, int(feature.string_stats.avg_length * 1000)),
            )
    return found


@pytest.fixture(scope="module")
def in_this_process(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What comes of the same rows without an engine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["fullbake"])
        return run(base, tmp_path_factory.mktemp("direct"), [])


def arguments(engine: str, master: str) -> list[str]:
    """Of the config's `beam.args`. The workers' Python is this process: each engine's worker calls back to it."""
    master_flag = {"flink": "--flink_master", "spark": "--spark_master_url"}[engine]
    return [
        *(f"--runner={engine.capitalize()}Runner", f"{master_flag}={master}"),
        f"--{engine}_job_server_jar={ENGINES}/job-servers/{engine}/job-server.jar",
        *("--environment_type=LOOPBACK", "--sdk_container_image=none", f"--parallelism={WORKERS}"),
    ]


def assert_the_same(out: Path, expected: Path) -> None:
    assert rows(out) == rows(expected)
    assert sum(sum(split.values()) for split in rows(out).values()) > ROWS / 2  # the test split stays raw
    assert schema(out) == schema(expected)
    assert set(counts(expected)) == {"Split-train", "Split-eval", "Split-test"}
    assert counts(out) == counts(expected)


def test_flink_makes_of_the_csv_what_this_process_makes(base: Path, in_this_process: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["fullbake"])  # TFX's Beam executors read it for flags of theirs
    with flink(ENGINES, tmp_path / "flink") as master:
        out = run(base, tmp_path / "run", arguments("flink", master))
        jobs = read_json(f"{master}/jobs/overview")["jobs"]
        assert [job["state"] for job in jobs] == ["FINISHED"] * STEPS_ON_BEAM
        for job in jobs:
            steps = read_json(f"{master}/jobs/{job['jid']}")["vertices"]
            tasks = [read_json(f"{master}/jobs/{job['jid']}/vertices/{step['id']}")["subtasks"] for step in steps]
            assert len({task["taskmanager-id"] for of_step in tasks for task in of_step}) == WORKERS
    assert_the_same(out, in_this_process)


def test_spark_makes_of_the_csv_what_this_process_makes(base: Path, in_this_process: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["fullbake"])
    with spark(ENGINES, tmp_path / "spark") as (master, interface):
        out = run(base, tmp_path / "run", arguments("spark", master))
        applications = read_json(f"{interface}/json/")["completedapps"]
        assert [application["state"] for application in applications] == ["FINISHED"] * STEPS_ON_BEAM
    for number in range(WORKERS):
        assert len(list((tmp_path / f"spark/worker-{number}").glob("app-*"))) == STEPS_ON_BEAM
    assert_the_same(out, in_this_process)


def test_beams_boot_starts_a_worker_in_the_environment_of_the_image(job_server: str, tmp_path: Path):
    with worker_pool(ENGINES, tmp_path / "pool") as environment:
        options = PipelineOptions(["--runner=PortableRunner", f"--job_endpoint={job_server}", *environment])
        with beam.Pipeline(options=options) as pipeline:
            words = pipeline | beam.Create(["a b", "c"]) | beam.FlatMap(str.split)
            words | beam.io.WriteToText(str(tmp_path / "words"))
        log = (tmp_path / "pool/worker-pool.log").read_text(encoding="utf-8")
    written = [line for file in tmp_path.glob("words-*") for line in file.read_text(encoding="utf-8").split()]
    assert sorted(written) == ["a", "b", "c"]
    assert f"'{ENGINES}/boot'" in log

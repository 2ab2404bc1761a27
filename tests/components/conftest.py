"""ExampleGen run as the pipeline runs it."""

import pytest


@pytest.fixture
def run(tmp_path):
    """Runs CsvExampleGen on `data` below tmp_path, by TFX's local runner with metadata in SQLite."""
    # Here, for most tests beside this need none of it.
    from ml_metadata import metadata_store
    from tfx import v1 as tfx

    from fullbake.components.nodes.example_gen import CsvExampleGen
    from tests.components.ingested import FORMAT, SPLIT, Ran

    metadata = tfx.orchestration.metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))

    def run_pipeline(fmt=FORMAT, pattern="*", split=SPLIT, input_base=None, **settings):
        example_gen = CsvExampleGen(input_base or str(tmp_path / "data"), pattern, fmt, split, **settings)
        tfx.orchestration.LocalDagRunner().run(
            tfx.dsl.Pipeline(
                pipeline_name="ingest",
                pipeline_root=str(tmp_path / "pipeline"),
                metadata_connection_config=metadata,
                components=[example_gen],
                enable_cache=True,
            )
        )
        artifacts = metadata_store.MetadataStore(metadata).get_artifacts_by_type("Examples")
        return Ran(max(artifacts, key=lambda artifact: artifact.id))

    (tmp_path / "data").mkdir()
    return run_pipeline

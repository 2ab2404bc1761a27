"""The metadata store after runs that were killed, damage, and deletions: with TFX's runner and our ExampleGen."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import tensorflow as tf
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2
from tfx import v1 as tfx

from fullbake.components.data.row_format import RowFormat
from fullbake.components.nodes.example_gen import CsvExampleGen
from fullbake.contract.errors import InputError
from fullbake.pipeline.store import METADATA_FILE, open_store, prepare_store
from tests.pipeline.planted import write_csv

ROWS = [[f"text {number}", ("good", "bad")[number % 2]] for number in range(60)]


class Root:
    """An output root in which data is ingested."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.store = folder / METADATA_FILE
        self.note: str | None = None

    def ingest(self, data: Path) -> list[str]:
        """Runs ExampleGen as a run does, and gives the texts that it left, sorted."""
        self.note = prepare_store(self.folder, self.folder / "pipeline")
        example_gen = CsvExampleGen(
            str(data), "*", RowFormat("text", "label", ("good", "bad")), {"train": 1, "eval": 1}
        )
        tfx.orchestration.LocalDagRunner().run(
            tfx.dsl.Pipeline(
                pipeline_name="ingest",
                pipeline_root=str(self.folder / "pipeline"),
                metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
                    str(self.store)
                ),
                components=[example_gen],
                enable_cache=True,
            )
        )
        newest = max(open_store(self.folder).get_artifacts_by_type("Examples"), key=lambda artifact: artifact.id)
        files = [str(file) for file in Path(newest.uri).glob("Split-*/*")]
        records = tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator()
        examples = [tf.train.Example.FromString(record) for record in records]
        return sorted(example.features.feature["text"].bytes_list.value[0].decode() for example in examples)

    def states(self) -> list[str]:
        return [
            metadata_store_pb2.Execution.State.Name(execution.last_known_state)
            for execution in sorted(open_store(self.folder).get_executions(), key=lambda execution: execution.id)
        ]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for number in range(3):
        write_csv(folder / f"{number}.csv", ["text", "label"], ROWS[20 * number :][:20])
    return folder


@pytest.fixture(scope="module")
def used(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root that one run has been at."""
    root = Root(tmp_path_factory.mktemp("root"))
    assert root.ingest(data) == sorted(text for text, _ in ROWS)
    return root.folder


@pytest.fixture
def root(used: Path, tmp_path: Path) -> Root:
    """A root of its own with that store, and artifacts where that run would have put them."""
    (tmp_path / METADATA_FILE).write_bytes((used / METADATA_FILE).read_bytes())
    for folder in (used / "pipeline/CsvExampleGen/examples").iterdir():
        (tmp_path / "pipeline/CsvExampleGen/examples" / folder.name).mkdir(parents=True)
    return Root(tmp_path)


def test_rows_of_a_deleted_file_do_not_come_back_after_the_store_was_deleted(data: Path, tmp_path: Path):
    root, mine = Root(tmp_path / "root"), tmp_path / "data"
    root.folder.mkdir()
    mine.mkdir()
    for file in data.iterdir():
        (mine / file.name).write_bytes(file.read_bytes())
    assert len(root.ingest(mine)) == 60
    before = sorted(path for path in root.folder.rglob("*.gz"))
    contents = [path.read_bytes() for path in before]
    root.store.unlink()
    (mine / "2.csv").unlink()
    assert root.ingest(mine) == sorted(text for text, _ in ROWS[:40])
    # Nothing is lost either: the old store may be put back from a backup.
    assert [path.read_bytes() for path in before] == contents


def test_a_store_put_back_from_a_backup_goes_on_where_the_folders_end(root: Root, data: Path, tmp_path: Path):
    backup = root.store.read_bytes()
    assert len(root.ingest(data)) == 60  # its artifacts are elsewhere, so it is found in the cache or made anew
    (tmp_path / "pipeline/CsvExampleGen/examples/41").mkdir()
    root.store.write_bytes(backup)
    extra = tmp_path / "data"
    write_csv(extra / "a.csv", ["text", "label"], ROWS[:10])
    assert len(root.ingest(extra)) == 10
    newest = max(open_store(root.folder).get_artifacts_by_type("Examples"), key=lambda artifact: artifact.id)
    assert int(Path(newest.uri).name) == 42


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def partly_overwritten(content: bytes) -> bytes:
    return content[:20_000] + os.urandom(20_000) + content[40_000:]


def with_one_table(content: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder, sqlite3.connect(Path(folder, "store")) as database:
        database.execute("CREATE TABLE Type (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(255))")
        database.commit()
        return Path(folder, "store").read_bytes()


@pytest.mark.parametrize(
    "damaged",
    [half, lambda content: content[:100], lambda content: os.urandom(5000), partly_overwritten, with_one_table],
    ids=["truncated", "cut after its header", "garbage", "partly overwritten", "killed while it was made"],
)
def test_a_damaged_store_is_set_aside_and_made_anew(root: Root, data: Path, damaged):
    content = damaged(root.store.read_bytes())
    root.store.write_bytes(content)
    assert len(root.ingest(data)) == 60
    (aside,) = root.folder.glob(f"{METADATA_FILE}.damaged-*")
    assert aside.read_bytes() == content
    assert root.note is not None
    assert root.note.startswith(f"{root.store} is damaged (")
    assert root.note.endswith(
        f"it is kept as {aside.name}, and a new one is begun: the cache is empty, so all is made anew"
    )
    assert "\n" not in root.note
    assert root.states() == ["COMPLETE"]
    root.ingest(data)
    assert (root.note, root.states()) == (None, ["COMPLETE", "CACHED"])


def test_an_empty_store_is_a_new_one(root: Root, data: Path):
    root.store.write_bytes(b"")
    assert len(root.ingest(data)) == 60
    assert root.note is None


def test_a_run_that_was_killed_while_it_wrote_to_the_store_leaves_it_whole(root: Root, data: Path):
    states = root.states()
    program = """
import os, signal, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA cache_size = 1")
database.execute("BEGIN IMMEDIATE")
database.execute("UPDATE Execution SET last_known_state = 99")
for number in range(2000):
    database.execute("INSERT INTO Execution (type_id, last_known_state) VALUES (1, 99)")
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", program, str(root.store)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert root.store.with_name(f"{METADATA_FILE}-journal").stat().st_size > 0
    assert len(root.ingest(data)) == 60
    assert root.note is None
    assert root.states()[: len(states)] == states


def test_what_a_killed_run_left_is_ended_and_cleared_away(root: Root, data: Path):
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(root.store)
    store = metadata_store.MetadataStore(connection)
    (of_type,) = {execution.type_id for execution in store.get_executions()}
    running = metadata_store_pb2.Execution(type_id=of_type, last_known_state=metadata_store_pb2.Execution.RUNNING)
    (killed,) = store.put_executions([running])
    del store
    pipeline = root.folder / "pipeline"
    left = [
        pipeline / f"CsvExampleGen/examples/{killed}/Split-train",
        pipeline / f"CsvExampleGen/.system/executor_execution/{killed}/.temp",
        pipeline / "CsvExampleGen/.system/stateful_working_dir/2d1f",
    ]
    for folder in left:
        folder.mkdir(parents=True)
        (folder / "half").touch()
    kept = pipeline / "CsvExampleGen/examples/1"
    kept.mkdir(exist_ok=True)
    root.ingest(data)
    assert root.states()[:2] == ["COMPLETE", "FAILED"]
    assert [folder for folder in left if folder.exists()] == []
    assert kept.exists()


def test_a_store_that_cannot_be_used_is_told_in_one_line(root: Root):
    with sqlite3.connect(root.store) as database:
        database.execute("UPDATE MLMDEnv SET schema_version = 99")
    database.close()
    with pytest.raises(
        InputError, match=r"metadata\.sqlite was written by a newer version of ml-metadata; use that one"
    ):
        prepare_store(root.folder, root.folder / "pipeline")
    root.store.unlink()
    root.store.mkdir()
    with pytest.raises(
        InputError, match=r"metadata\.sqlite is a folder, where the metadata store belongs; take it away"
    ):
        prepare_store(root.folder, root.folder / "pipeline")


def test_a_store_that_another_program_writes_to_is_told_in_one_line(root: Root, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("fullbake.pipeline.store._BUSY_SECONDS", 0.1)
    program = (
        f"import sqlite3; d = sqlite3.connect({str(root.store)!r}, isolation_level=None); d.execute('BEGIN EXCLUSIVE');"
        " print('locked', flush=True); input()"
    )
    other = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout
    assert other.stdout.readline() == "locked\n"
    with pytest.raises(InputError, match=r"\(database is locked\): another program is using it; close that, and run"):
        prepare_store(root.folder, root.folder / "pipeline")
    other.kill()  # as a run may be; its lock goes with it
    other.wait()
    assert prepare_store(root.folder, root.folder / "pipeline") is None


def test_a_store_that_is_read_only_is_told_in_one_line(root: Root):
    # Root may write to any file, so that another user has to try; where the tests are another user already, it is us.
    root.store.chmod(0o444)
    root.folder.chmod(0o555)
    program = (
        "import os, sys; from pathlib import Path; from fullbake.pipeline.store import prepare_store\n"
        "from fullbake.contract.errors import InputError\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "try: prepare_store(Path(sys.argv[1]), Path(sys.argv[1], 'pipeline'))\n"
        "except InputError as error: print(error)"
    )
    for folder in root.folder.parents[:3]:  # pytest's folders are for one user alone
        folder.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", program, str(root.folder)], capture_output=True, text=True, check=False
    )
    root.folder.chmod(0o755)
    assert "metadata.sqlite cannot be written to (attempt to write a readonly database): make it and its" in done.stdout

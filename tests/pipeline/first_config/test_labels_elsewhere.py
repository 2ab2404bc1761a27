"""Labels in names and in other files: what `init` makes of them, and that a run and the preflight take it."""

import json
import os
from pathlib import Path

import pandas as pd
import pytest
import yaml

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.config.config_keys import CONFIG_KEYS
from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.first_config.first_config import make_first_config
from fullbake.pipeline.preflight import check_inputs
from tests.components.ingested import Ran


@pytest.fixture
def ingest(tmp_path: Path):
    """Runs the ExampleGen of a config, after the preflight; returns what it left, by label."""

    def run(config: Config, base: Path) -> dict[str, list[str]]:
        from ml_metadata import metadata_store
        from tfx import v1 as tfx

        from fullbake.pipeline.graph import create_components, input_locations
        from fullbake.pipeline.outline import Places
        from fullbake.trainer.locations import located

        config = config.model_copy(update={"model": config.model.model_copy(update={"base": str(base)})})
        check_inputs(config)
        places = Places(str(tmp_path / "pipeline"), str(tmp_path / "serving"), None, None)
        metadata = tfx.orchestration.metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))
        with located(input_locations(config, base)):
            example_gen = create_components(config, places, "nothing")[0]
            tfx.orchestration.LocalDagRunner().run(
                tfx.dsl.Pipeline(
                    pipeline_name="ingest",
                    pipeline_root=places.pipeline_root,
                    metadata_connection_config=metadata,
                    components=[example_gen],
                )
            )
        ran = Ran(metadata_store.MetadataStore(metadata).get_artifacts_by_type("Examples")[-1])
        found: dict[str, list[str]] = {}
        for split in ran.counts["examples"]:
            for row in ran.examples(split):
                found.setdefault(row["label"], []).append(row["text"])
        return {label: sorted(texts) for label, texts in found.items()}

    return run


def first(tmp_path: Path, path: Path, *columns: str, **places: str) -> Config:
    text = make_first_config(path, "text", *columns, **places)
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    return load_config(tmp_path / "config.yaml")


def refused(path: Path, *columns: str | None, **places: str) -> str:
    with pytest.raises(InputError) as caught:
        make_first_config(path, "text", *columns, **places)
    message = caught.value.text(CONFIG_KEYS)
    assert "\n" not in message
    return message


def texts(kind: str, count: int = 40) -> list[str]:
    return sorted(f"{kind}, and the number {number}" for number in range(count))


def lines(values) -> str:
    return "".join(f"{value}\n" for value in values)


def test_a_file_to_a_class(ingest, base: Path, tmp_path: Path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "film.neg").write_text(lines(texts("ugly")))
    (folder / "pos.csv").write_text("n;text\n" + lines(f"{n};{text}" for n, text in enumerate(texts("good"))))
    config = first(tmp_path, folder, label_from="filename")
    assert (config.data.labels, config.data.pattern) == (("film.neg", "pos"), "*")
    assert (config.data.delimiter, config.data.encoding) == (";", "utf-8")
    (folder / "pos.csv").unlink()
    (folder / "film.neg").write_bytes(lines(texts("d\xe9j\xe0 vu")).encode("cp1252"))
    (folder / "pos.txt").write_text(lines(texts("good")))
    config = first(tmp_path, folder, label_from="filename")
    assert config.data.encoding == "cp1252"
    assert "delimiter" not in yaml.safe_load((tmp_path / "config.yaml").read_text())["data"]
    assert ingest(config, base) == {"film.neg": texts("déjà vu"), "pos": texts("good")}


def test_a_folder_to_a_class_with_a_test_set(ingest, base: Path, tmp_path: Path):
    """As aclImdb has it, with its folder of texts that have no label."""
    for split, count in (("train", 40), ("test", 20)):
        for kind in ("pos", "neg", "unsup"):
            if (split, kind) != ("test", "unsup"):
                (tmp_path / "imdb" / split / kind).mkdir(parents=True)
                for text in texts(f"{split} {kind}", count):
                    (tmp_path / "imdb" / split / kind / f"{text}.txt").write_text(text)
        (tmp_path / "imdb" / split / "urls.txt").write_text("a link\n")
    config = first(tmp_path, tmp_path / "imdb", label_from="folder")
    assert (config.data.labels, config.data.pattern, config.data.rare_classes) == (("neg", "pos"), "*/*", "drop")
    assert (config.data.input_base, config.data.test_base) == (f"{tmp_path}/imdb/train", f"{tmp_path}/imdb/test")
    assert "  rare_classes: drop  # not in the test set: 'unsup' (40 rows)\n" in (tmp_path / "config.yaml").read_text()
    assert ingest(config, base) == {
        kind: sorted(texts(f"train {kind}") + texts(f"test {kind}", 20)) for kind in ("neg", "pos")
    }


def test_a_folder_to_a_class_of_files_without_a_suffix(tmp_path: Path):
    for kind in ("alt.atheism", "sci.med"):
        (tmp_path / "news" / kind / "1993").mkdir(parents=True)
        for number, text in enumerate(texts(kind)):
            (tmp_path / "news" / kind / "1993" / str(number)).write_text(text)
    (tmp_path / "news/sci.med/1993/7").write_text("")
    config = first(tmp_path, tmp_path / "news", label_from="folder")
    assert (config.data.labels, config.data.pattern) == (("alt.atheism", "sci.med"), "*/**")
    assert "the first is on sci.med/1993/7: the file is empty\n" in (tmp_path / "config.yaml").read_text()


def test_labels_line_by_line(ingest, base: Path, tmp_path: Path, monkeypatch):
    (tmp_path / "tweets").mkdir()
    (tmp_path / "tweets/train_text.txt").write_text(lines([*texts("a"), *texts("b")]))
    (tmp_path / "tweets/train_labels.txt").write_text(lines([0] * 40 + [1] * 40))
    config = first(tmp_path, tmp_path / "tweets/train_text.txt", labels_file=str(tmp_path / "tweets/train_labels.txt"))
    assert (config.data.labels, config.data.labels_file) == (("0", "1"), "train_labels.txt")
    assert ingest(config, base) == {"0": texts("a"), "1": texts("b")}
    monkeypatch.chdir(tmp_path / "tweets")
    same = first(tmp_path, Path("train_text.txt"), labels_file="train_labels.txt")
    assert (same.data.input_base, same.data.labels_file) == (".", "train_labels.txt")


def test_labels_by_id(ingest, base: Path, tmp_path: Path):
    rows = [*texts("a"), *texts("b")]
    (tmp_path / "data").mkdir()
    (tmp_path / "data/text.jsonl").write_text(lines(json.dumps({"id": n, "text": t}) for n, t in enumerate(rows)))
    (tmp_path / "gold.csv").write_text("verdict;id\n" + lines(f"{'yes' if n < 40 else 'no'};{n}" for n in range(80)))
    config = first(
        tmp_path, tmp_path / "data/text.jsonl", "verdict", labels_file=f"{tmp_path}/gold.csv", id_column="id"
    )
    assert (config.data.labels_file, config.data.id_column) == ("../gold.csv", "id")
    assert (config.data.label_column, config.data.delimiter) == ("verdict", ";")
    assert ingest(config, base) == {"yes": texts("a"), "no": texts("b")}
    with (tmp_path / "gold.csv").open("a") as file:
        file.write("no;3\n")
    twice = "data.labels_file: the id '3' is in gold.csv twice, on line 5 and line 82; leave one of them"
    assert refused(tmp_path / "data/text.jsonl", "verdict", labels_file=f"{tmp_path}/gold.csv", id_column="id") == twice
    with pytest.raises(InputError) as caught:
        check_inputs(config)
    assert caught.value.text(CONFIG_KEYS) == twice


def test_a_folder_that_looks_like_classes_says_the_option(tmp_path: Path):
    for name in ("a/1.txt", "b/1.txt", "files/neg.txt", "files/pos.txt", "tweets/text.txt", "tweets/labels.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text\n")
    assert refused(tmp_path).endswith(
        "if its folders are called as the labels of what is in them, add --label-from folder"
    )
    assert refused(tmp_path / "files").endswith("if they are called as the labels, add --label-from filename")
    assert refused(tmp_path / "tweets").endswith("the one with their labels (such as labels.txt) as --labels-file")
    assert refused(tmp_path / "a").endswith("a is a folder; name one of its data files")


def test_what_does_not_go_together_is_told_with_the_option(tmp_path: Path):
    (tmp_path / "pos").mkdir()
    (tmp_path / "pos/1.txt").write_text("a text\n")
    pd.DataFrame({"id": [1], "text": ["a"]}).to_parquet(tmp_path / "t.parquet")
    assert refused(tmp_path / "t.parquet").startswith("--label: the column with the labels is not named; ")
    assert refused(tmp_path / "t.parquet", "id", id_column="id").startswith("--id: it joins texts with the labels of ")
    missing = refused(tmp_path / "t.parquet", labels_file=str(tmp_path / "x"), id_column="id")
    assert missing.startswith(f"{tmp_path / 'x'}: the file cannot be read: ")
    labels = {"labels_file": str(tmp_path / "t.parquet"), "id_column": "id"}
    pd.DataFrame({"id": [1], "text": ["a"]}).to_parquet(tmp_path / "u.parquet")
    assert refused(tmp_path / "u.parquet", **labels).startswith("--label: the column with the ")
    assert refused(tmp_path / "t.parquet", labels_file="x", label_from="folder").startswith(
        "--labels-file: labels are "
    )
    assert refused(tmp_path / "t.parquet", label_from="filename").endswith("name the one with the files of all classes")
    assert refused(tmp_path / "pos", labels_file="x").startswith(f"--labels-file: {tmp_path}/pos is a folder; ")
    assert refused(tmp_path / "pos/1.txt", labels_file=f"{tmp_path}/pos/1.txt").endswith("name the one with the labels")
    assert refused(tmp_path / "pos/1.txt", labels_file="no.txt").startswith("data.labels_file: ")
    one = refused(tmp_path, label_from="folder")
    assert one.startswith("data.label_from: the names of the folders has one value only, 'pos'; two classes are the ")
    assert os.path.basename(tmp_path) in refused(tmp_path / "pos", label_from="folder")

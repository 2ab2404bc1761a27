"""Files for ExampleGen, and what it made of them."""

import csv
import gzip
import itertools
import json
from pathlib import Path

import tensorflow as tf

from fullbake.components.data.row_format import RowFormat

FORMAT = RowFormat("text", "label", ("good", "bad"), label_map={"1": "good", "0": "bad"})
TWO_SPLITS = {"train": 8, "eval": 2}
SPLIT = {"train": 8, "eval": 1, "test": 1}
ROWS = [(f"text number {number}", "good" if number % 3 else "bad") for number in range(200)]
TEST_ROWS = [(f"test text {number}", "good" if number % 2 else "bad") for number in range(30)]


class Ran:
    """The one artifact a run left, and what is in it."""

    def __init__(self, artifact):
        self.artifact = artifact
        self.folder = Path(artifact.uri)
        self.properties = {
            name: getattr(value, value.WhichOneof("value"))
            for name, value in [*artifact.properties.items(), *artifact.custom_properties.items()]
        }
        self.counts = json.loads((self.folder / "ingest.json").read_text())
        with (self.folder / "rejected.csv").open(newline="") as file:
            self.rejected = list(csv.DictReader(file))

    def examples(self, split):
        files = sorted(str(path) for path in (self.folder / f"Split-{split}").iterdir())
        for record in tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator():
            features = tf.train.Example.FromString(record).features.feature
            yield {name: feature.bytes_list.value[0].decode() for name, feature in features.items()}

    def texts(self):
        return {split: [example["text"] for example in self.examples(split)] for split in self.counts["examples"]}

    def all_texts(self):
        return sorted(itertools.chain.from_iterable(self.texts().values()))


def write(path, rows=ROWS, header=("text", "label"), encoding="utf-8", **dialect):
    path.parent.mkdir(parents=True, exist_ok=True)
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding=encoding, newline="") as file:
        csv.writer(file, **dialect).writerows([header, *rows])


def write_corpus(folder):
    folder.mkdir()
    (folder / "a.txt").write_bytes("first line\r\n\r\n  \r\n“second”, line\r\n".encode("utf-16"))
    (folder / "b.txt.gz").write_bytes(gzip.compress(b"third line"))
    write(folder / "c.csv", [("1", "two\nlines"), ("2", "a text")], header=("id", "text"))
    (folder / "_SUCCESS").touch()
    return ["first line", "“second”, line", "third line", "two\nlines", "a text"]

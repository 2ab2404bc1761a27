"""A small data set whose classes can be learned, the config for it, and what its runs left in the metadata store."""

import csv
import random
from collections import Counter
from pathlib import Path
from typing import Any

import yaml
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2

from fullbake.pipeline.store import METADATA_FILE

COMPONENTS = [
    "CsvExampleGen",
    "StatisticsGen",
    "ConfigSchema",
    "ExampleValidator",
    "DataGate",
    "Transform",
    "Trainer",
    "Evaluator",
    "ServableCheck",
    "Report",
    "Pusher",
]
"""Those of a run of this config, in the order in which data flows."""

LABELS = ["kind", "rude", "plain"]
SIGNAL = {"kind": "lovely", "rude": "idiot", "plain": "garden"}
FILLER = ["you", "are", "a", "good", "bad", "kind", "of", "person", "what", "the", "day", "very", "not", "is", "it"]
ROWS = 240


def planted_rows() -> list[list[str]]:
    """Rows of id, text and class number. A signal word tells the class, but for a quarter of 'plain', which lies."""
    chosen = random.Random(3)  # noqa: S311 (nothing secret)
    rows = []
    for row in range(ROWS):
        label = LABELS[row % 3]
        signal = SIGNAL["rude" if label == "plain" and row % 4 == 0 else label]
        words = chosen.choices(FILLER, k=chosen.randint(3, 9))
        words.insert(chosen.randint(0, len(words)), signal)
        text = " ".join(words)
        if row % 10 == 0:
            text = text.replace(" ", "\n", 1) + ', "they" said'
        rows.append([str(row), text, str(LABELS.index(label))])
    return rows


def write_csv(file: Path, header: list[str], rows: list[list[str]]) -> None:
    """Writes a CSV file, and its folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])


def write_config(folder: Path, base: str, *, data: dict[str, Any], **sections: dict[str, Any]) -> Path:
    """Writes a config for CSV files in `data/` of this folder."""
    config = {
        "name": "planted",
        "data": {"input_base": str(folder / "data"), "labels": LABELS, "split": {"train": 6, "eval": 2, "test": 2}},
        "model": {"base": base, "max_length": 32},
        # Of "auto" a processor with bfloat16 makes a measurement, of a second and a half and by the clock.
        "training": {"epochs": 2, "learning_rate": 2e-4, "batch_size": 16, "mixed_precision": "float32"},
    }
    config["data"].update(data)
    # A random encoder may decide for one class alone, and most tests are about something else than bounds.
    config["gate"] = {"allow_no_bounds": True, "allow_never_predicted": config["data"]["labels"]}
    for name, values in sections.items():
        config[name] = {**config.get(name, {}), **values}
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return folder / "config.yaml"


def executions(root: Path) -> Counter[tuple[str, str]]:
    """How often each component of all runs below an output root came to which state."""
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(root / METADATA_FILE)
    store = metadata_store.MetadataStore(connection)
    found: Counter[tuple[str, str]] = Counter()
    for execution in store.get_executions():
        (node,) = (c.name for c in store.get_contexts_by_execution(execution.id) if c.type == "node")
        state = metadata_store_pb2.Execution.State.Name(execution.last_known_state)
        found[node.removeprefix("planted."), state] += 1
    return found

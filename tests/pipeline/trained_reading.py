"""The tiny model as if it had been trained on files that are written in one way or another."""

import copy
from pathlib import Path

from fullbake.components.data.dialect import Dialect
from fullbake.components.data.quoting import STANDARD, Quoting
from fullbake.components.data.readers.csv_records import read_records
from fullbake.contract.results.about import About
from fullbake.pipeline.config.data_config import DataConfig
from fullbake.pipeline.prediction.label_file import Labelled, label_file
from fullbake.pipeline.prediction.predictor import Predictor
from tests.pipeline.tiny_model import LABELS


def config(**keys) -> DataConfig:
    """The section `data` of a config whose texts are in the column `comment`."""
    return DataConfig(**{"input_base": "data", "labels": LABELS, "text_column": "comment", **keys})


def trained(predictor: Predictor, **keys) -> Predictor:
    """The model with what it would keep of a config with these keys, after a trip through its file."""
    data = config(**keys)
    about = About(labels=LABELS, text_columns=data.text_columns, reading=data.reading)
    kept = About.from_json(about.to_json())
    found = copy.copy(predictor)
    found.reading, found.text_columns = kept.reading, kept.text_columns
    return found


def expected(predictor: Predictor, texts: list[str]) -> list[list[str]]:
    """What is added to the rows of these texts; nothing to that of an empty one."""
    predictions = iter(predictor.predict({"text": [text.encode() for text in texts if text]}))
    return [
        [found.label, *(f"{p:.6f}" for p in found.probabilities)]
        if text and (found := next(predictions))
        else [""] * (1 + len(LABELS))
        for text in texts
    ]


def back(target: Path, delimiter: str = ",", quoting: Quoting = STANDARD) -> list[list[str]]:
    """The records of a labelled CSV file."""
    with target.open("rb") as stream:
        return [record.fields for record in read_records(stream, Dialect(delimiter), quoting)]


def label(
    predictor: Predictor, folder: Path, content: bytes | str, name: str = "in.csv", target: str = "out.csv", **options
) -> tuple[Labelled, Path]:
    """Labels a file of this content; gives what became of it, and where it is."""
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return label_file(predictor, folder / name, folder / target, **options), folder / target

"""Labels text with a pushed model."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import tensorflow as tf
import tensorflow_text  # noqa: F401  (the served graph holds its ops)

from components.csv_records import KEEP_UNDECODABLE, BadRow, read_records
from components.production import fault, newest_version, read_about
from trainer.errors import InputError
from trainer.served_model import SLAB_ROWS, TEXT_SIGNATURE

# Rows that are read, labelled and written at once, so that a file larger than memory passes through.
BATCH_ROWS = SLAB_ROWS


class Prediction(NamedTuple):
    """What a model says of a text.

    Attributes:
      label: the label it decides.
      probability: of that label; not the highest where the model has a decision threshold.
      probabilities: of each label in the model's order.
    """

    label: str
    probability: float
    probabilities: tuple[float, ...]


class Predictor:
    """A pushed model, opened.

    Args:
      model: a pushed version's folder.

    Attributes:
      labels: in the order of their class index.
      text_features: ``text`` and maybe ``text_pair``.
      text_columns: by feature, the CSV column that it came from in training.
    """

    def __init__(self, model: str):
        if reason := fault(model, thorough=False):
            raise InputError(
                f"--model: {model} {reason}; name another version, or go back with: fullbake rollback "
                f"{os.path.dirname(model.rstrip('/'))}"
            )
        about = read_about(model)
        self.labels: list[str] = about["labels"]
        self.text_columns: dict[str, str] = about["text_columns"]
        self.text_features: list[str] = about["text_features"]
        self._model = tf.saved_model.load(model)  # kept: its variables live as long as it does
        self._serve = self._model.signatures[TEXT_SIGNATURE]

    def predict(self, texts: dict[str, list[bytes]]) -> list[Prediction]:
        """Labels some rows.

        Args:
          texts: by feature, a text for each row.
        """
        answer = self._serve(**{name: tf.constant(column, tf.string) for name, column in texts.items()})
        labels = [label.decode() for label in answer["label"].numpy()]
        rows = answer["probabilities"].numpy().tolist()
        return [
            Prediction(label, row[self.labels.index(label)], tuple(row))
            for label, row in zip(labels, rows, strict=True)
        ]


def find_model(model: str | None) -> str:
    """Finds a pushed version.

    Args:
      model: a version's folder, a serving folder, or an output root; None: the newest push below ``runs/``.

    Raises:
      InputError: there is none.
    """
    if model is None:
        pushed = [path for folder in Path("runs").glob("*/serving") if (path := newest_version(str(folder)))]
        if not pushed:
            raise InputError("--model: no model has been pushed below runs/ yet; run the pipeline, or name a folder")
        return max(pushed, key=lambda path: int(os.path.basename(path)))
    if tf.io.gfile.exists(os.path.join(model, "saved_model.pb")):
        return model.rstrip("/")
    found = newest_version(model) or newest_version(os.path.join(model, "serving"))
    if found is None:
        raise InputError(f"--model: there is no pushed model in {model}; name a version, a serving folder or a run")
    return found


def predict_csv(predictor: Predictor, source: Path, target: Path, *, delimiter: str, encoding: str) -> int:
    """Labels a CSV file: every row and column comes back, with ``label`` and ``p_<label>`` for each label added.

    A column of the input that has one of these names is kept as ``input_<name>``.
    The file may be larger than memory. The output is UTF-8; bytes of a field that do not decode come back as they were.

    Args:
      predictor: labels the texts.
      source: has the columns the model was trained on.
      target: appears when it is complete.
      delimiter: of both files.
      encoding: of the source, unless it starts with a byte-order mark.

    Returns:
      The number of rows.

    Raises:
      InputError: the file, a column or the target's folder is not there, an option is no good, or a row cannot be read.
    """
    _check_options(source, target, delimiter, encoding)
    unfinished = target.with_name(f".{target.name}.unfinished")
    count = 0
    try:
        with ExitStack() as stack:
            stream = stack.enter_context(source.open("rb"))
            sink = stack.enter_context(unfinished.open("w", encoding="utf-8", errors=KEEP_UNDECODABLE, newline=""))
            header, rows = _open(stream, source, delimiter, encoding)
            positions = {name: _position(header, predictor, name, source) for name in predictor.text_features}
            added = ["label", *(f"p_{label}" for label in predictor.labels)]
            sink.write(_line(_kept_names(header, added) + added, delimiter))
            while batch := list(itertools.islice(rows, BATCH_ROWS)):
                texts = {
                    name: [row[position].encode("utf-8", KEEP_UNDECODABLE) for row in batch]
                    for name, position in positions.items()
                }
                for row, prediction in zip(batch, predictor.predict(texts), strict=True):
                    probabilities = [f"{p:.6f}" for p in prediction.probabilities]
                    sink.write(_line([*row, prediction.label, *probabilities], delimiter))
                count += len(batch)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def _check_options(source: Path, target: Path, delimiter: str, encoding: str) -> None:
    if not source.is_file():
        raise InputError(f"--input: there is no file {source}")
    if target.is_dir():
        raise InputError(f"--output: {target} is a folder; name a file")
    if not target.absolute().parent.is_dir():
        raise InputError(f"--output: there is no folder {target.absolute().parent}")
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise InputError(
            f"--delimiter: {delimiter!r} is not one character that can stand between fields; a tab is $'\\t' in a shell"
        )
    try:
        "".encode(encoding)
    except LookupError:
        raise InputError(f"--encoding: {encoding!r} is not a text encoding; use utf-8, cp1252, ...") from None


def _open(stream: BinaryIO, source: Path, delimiter: str, encoding: str) -> tuple[list[str], Iterator[list[str]]]:
    records = _fields(read_records(stream, delimiter, encoding), source)
    header = next(records, None)
    if header is None:
        raise InputError(f"--input: {source} is empty; give it a header line")
    return header, (_fitting(fields, header, line, source) for line, fields in enumerate(records, 2))


def _fields(records: Iterator[Any], source: Path) -> Iterator[list[str]]:
    for record in records:
        if isinstance(record, BadRow):
            raise InputError(f"--input: {source}, line {record.line}: {record.reason}")
        yield record[1]


def _fitting(fields: list[str], header: list[str], row: int, source: Path) -> list[str]:
    if len(fields) != len(header):
        raise InputError(f"--input: {source}, row {row}: {len(fields)} fields where the header has {len(header)}")
    return fields


def _position(header: list[str], predictor: Predictor, feature: str, source: Path) -> int:
    names = [name.strip() for name in header]
    for column in (predictor.text_columns.get(feature, feature), feature):
        if column in names:
            return names.index(column)
    column = predictor.text_columns.get(feature, feature)
    raise InputError(
        f"--input: {column!r} is not a column of {source} (it has: {', '.join(names)}); "
        "the model was trained on a column of that name: rename yours"
    )


def _line(fields: list[str], delimiter: str) -> str:
    # Python 3.10's csv.writer refuses U+0000 and leaves a lone carriage return unquoted, where readers end the row.
    needs_quotes = re.compile(f'["\r\n{re.escape(delimiter)}]').search
    quoted = ['"' + field.replace('"', '""') + '"' if needs_quotes(field) else field for field in fields]
    return delimiter.join(quoted) + "\n"


def _kept_names(header: list[str], added: list[str]) -> list[str]:
    # A column of the input is never lost to one of ours: it keeps its place and is called input_<name>.
    kept = []
    for name in header:
        if name in added:
            name = f"input_{name}"
            while name in header:
                name = f"input_{name}"
        kept.append(name)
    return kept

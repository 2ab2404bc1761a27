"""Labels the rows of a file with a model; free of TensorFlow, so that what is wrong with a file is said at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fullbake.components.data.columns import shorten
from fullbake.components.data.dialect import Dialect
from fullbake.components.data.file_kinds import WrongKindError
from fullbake.components.data.reading import place_in
from fullbake.components.data.text_encoding import printable
from fullbake.contract.errors import InputError
from fullbake.contract.names import SLAB_ROWS
from fullbake.pipeline.output_file import check_output
from fullbake.pipeline.prediction.table import Answer, Batch, CsvOptions
from fullbake.pipeline.prediction.tables import table_format

if TYPE_CHECKING:
    from fullbake.pipeline.prediction.predictor import Predictor

# Rows that are read, labelled and written at once, so that a file larger than memory passes through.
BATCH_ROWS = SLAB_ROWS


@dataclass
class Labelled:
    """What became of the rows of a file.

    Attributes:
        rows: How many came back.
        unlabelled: By kind of reason, the rows that came back without a label.
        first: By kind of reason, the first of them: line and reason.
        ordinary_quotes: Whether the quotes were found to be characters like any other.
    """

    rows: int = 0
    unlabelled: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    ordinary_quotes: bool = False


def label_file(
    predictor: Predictor,
    source: Path,
    target: Path,
    *,
    delimiter: str,
    encoding: str,
    quoting: str = "auto",
    escape_formulas: bool = False,
) -> Labelled:
    """Labels a file: every row and column comes back, with `label` and `p_<label>` for each label added.

    Each file has the format that its suffix says (see `tables`). A column of the input that has one of the added names
    is kept as `input_<name>`. A row that cannot be read comes back without a label, in its place. The file may be
    larger than memory. Text in the output is UTF-8; bytes of CSV that do not decode come back as they were.

    Args:
        predictor: Labels the texts.
        source: Has the columns the model was trained on.
        target: Appears when it is complete.
        delimiter: As of `CsvOptions`, of those of the two files that are CSV.
        encoding: Likewise.
        quoting: Likewise.
        escape_formulas: Likewise.

    Raises:
        InputError: The file, a column or the target's folder is not there, an option is no good, or the source has no
            header or is of another format.
    """
    check_files(source, target, delimiter=delimiter, encoding=encoding, quoting=quoting)
    options = CsvOptions(Dialect(delimiter, encoding, quoting), escape_formulas)
    done = Labelled()
    with _reading(source), table_format(source).open(source, options) as table:
        done.ordinary_quotes = table.ordinary_quotes
        places = {feature: _place(table.columns, predictor, feature, source) for feature in predictor.text_features}
        added = ["label", *(f"p_{label}" for label in predictor.labels)]
        columns = [*_kept_names(table.columns, added), *added]
        with table_format(target).write(target, table, columns, options) as write:
            for batch in table.batches(places, BATCH_ROWS):
                write(batch, _answers(predictor, batch, done, source))
    return done


def _answers(predictor: Predictor, batch: Batch, done: Labelled, source: Path) -> list[Answer | None]:
    """Labels a batch, and counts its rows."""
    done.rows += len(batch.bad)
    for bad in batch.bad:
        if bad is not None:
            done.unlabelled[bad.kind] += 1
            done.first.setdefault(bad.kind, f"{place_in(source.name, bad.line)}: {bad.reason}")
    predictions = iter(predictor.predict(batch.texts) if any(batch.texts.values()) else ())
    answers: list[Answer | None] = []
    for bad in batch.bad:
        if bad is None:
            prediction = next(predictions)
            answers.append(Answer(prediction.label, prediction.probabilities))
        else:
            answers.append(None)
    return answers


def check_files(source: Path, target: Path, *, delimiter: str, encoding: str, quoting: str) -> None:
    """Finds what can be found wrong with the arguments of `label_file` before a model is opened.

    Raises:
        InputError: As `label_file`, but for the columns.
    """
    if source.is_dir():
        raise InputError(f"--input: {source} is a folder; name a file, such as one of its .arrow files")
    if not source.is_file():
        raise InputError(f"--input: there is no file {source}")
    check_output(target, "--output")
    if target.exists() and target.samefile(source):
        raise InputError(f"--output: {target} is the input; name another file, for its rows are not to be lost")
    try:
        Dialect(delimiter=delimiter, encoding=encoding, quoting=quoting)
    except InputError as error:
        raise InputError(f"--{error}") from error
    with _reading(source):
        table_format(source).check(source, CsvOptions(Dialect(delimiter, encoding, quoting)))


@contextmanager
def _reading(source: Path) -> Iterator[None]:
    try:
        yield
    except WrongKindError as error:
        raise InputError(f"--input: {source} {error}") from None
    except OSError as error:
        raise InputError(f"--input: {source} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _place(columns: list[str], predictor: Predictor, feature: str, source: Path) -> int:
    names = [name.strip() for name in columns]
    for column in (predictor.text_columns.get(feature, feature), feature):
        if column in names:
            return names.index(column)
    column = predictor.text_columns.get(feature, feature)
    raise InputError(
        f"--input: {column!r} is not a column of {source} (it has: {shorten(', '.join(map(printable, names)))}); "
        "the model was trained on a column of that name: rename yours"
    )


def _kept_names(columns: list[str], added: list[str]) -> list[str]:
    # A column of the input is never lost to one of ours: it keeps its place and is called input_<name>.
    kept = []
    for name in columns:
        if name in added:
            name = f"input_{name}"
            while name in columns:
                name = f"input_{name}"
        kept.append(name)
    return kept

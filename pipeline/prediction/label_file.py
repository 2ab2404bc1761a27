"""Labels the rows of a file with a model; free of TensorFlow, so that what is wrong with a file is said at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fullbake.components.data.columns import shorten
from fullbake.components.data.dialect import NUMBERED, Dialect
from fullbake.components.data.file_kinds import WrongKindError
from fullbake.components.data.reading import place_in
from fullbake.components.data.text_encoding import KEEP_UNDECODABLE, printable
from fullbake.contract.errors import InputError
from fullbake.contract.names import SLAB_ROWS
from fullbake.contract.nearest import did_you_mean
from fullbake.pipeline.output_file import check_output
from fullbake.pipeline.prediction.column_names import added_names, kept_names
from fullbake.pipeline.prediction.progress import NoProgress, Progress
from fullbake.pipeline.prediction.table import Answer, Batch, TextOptions
from fullbake.pipeline.prediction.tables import table_format, target_writer
from fullbake.pipeline.prediction.text_judge import text_judge
from fullbake.pipeline.prediction.unlabelled_rows import unlabelled_file, writing_reasons

if TYPE_CHECKING:
    from fullbake.pipeline.prediction.predictor import Predictor

# Rows that are read, labelled and written at once, so that a file larger than memory passes through.
BATCH_ROWS = SLAB_ROWS

# Rows after which progress is told; an explanation asks the model 21 times.
_TOLD_ROWS = 512
_TOLD_EXPLAINED_ROWS = 16

ON_BAD_ROW = ("quarantine", "fail")


@dataclass
class Labelled:
    """What became of the rows of a file.

    Attributes:
        rows: How many came back.
        unlabelled: By kind of reason, the rows that came back without a label.
        first: By kind of reason, the first of them: line and reason.
        notes: What people should know of how the file was read, a sentence each, without its stop.
    """

    rows: int = 0
    unlabelled: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def label_file(
    predictor: Predictor,
    source: Path,
    target: Path,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    quoting: str | None = None,
    escape_formulas: bool = False,
    on_bad_row: str = "quarantine",
    explained: bool = False,
    progress: Progress | None = None,
) -> Labelled:
    """Labels a file: every row and column comes back, with `label` and `p_<label>` for each label added.

    Each file has the format that its suffix says (see `tables`). A file that is text is read as those that the model
    was trained on, or where it is written in another way as it is found to be. A column of the input that has one of
    the added names is kept as `input_<name>`. A row that no training would take comes back without a label, in its
    place, and `unlabelled_file` says why. The file may be larger than memory. Text in the output is UTF-8; bytes of CSV
    that do not decode come back as they were.

    Args:
        predictor: Labels the texts.
        source: Has the columns the model was trained on.
        target: Appears when it is complete.
        delimiter: As of `Dialect`, of the source; by default that is found out.
        encoding: Likewise.
        quoting: Likewise.
        escape_formulas: As of `TextOptions`.
        on_bad_row: What becomes of a row that no training would take: `quarantine` as above; `fail` ends at the first.
        explained: Whether a column says which words pushed each decision, which costs up to 21 times as much.
        progress: Shows how far it is. Default: nothing is shown.

    Raises:
        InputError: A row is bad and `on_bad_row` is `fail`; nothing is written then. Or the file, a column or the
            target's folder is not there, an option is no good, or the source has no header or is of another format.
    """
    progress = progress or NoProgress()
    said = check_files(source, target, delimiter=delimiter, encoding=encoding, quoting=quoting)
    known = Dialect.from_dict(predictor.reading.dialect)
    names = {
        feature: list(dict.fromkeys([predictor.text_columns.get(feature, feature), feature]))
        for feature in predictor.text_features
    }
    known_from = "the training files had" if predictor.reading.dialect else "the default is"
    options = TextOptions(said, known, known_from, names, escape_formulas)
    done = Labelled()
    with _reading(source), table_format(source).open(source, options) as table:
        places = {feature: _place(table.columns, found, source, known) for feature, found in names.items()}
        added = added_names(predictor.labels, explained=explained)
        write_rows, distinct = target_writer(source, target)
        columns = [*kept_names(table.columns, added, distinct=distinct), *added]
        judge = text_judge(
            {feature: table.columns[place].strip() for feature, place in places.items()},
            predictor.reading.null_values,
            table.encoding,
        )
        done.notes += table.notes
        with progress.loading():
            predictor.load()
        with writing_reasons(source, target) as write_reason, write_rows(target, table, columns, options) as write:
            part = 0.0
            for batch in table.batches(places, BATCH_ROWS):
                batch = batch._replace(bad=judge(batch))
                bad_rows = list(filter(None, batch.bad))
                if bad_rows and on_bad_row == "fail":
                    first = bad_rows[0]
                    raise InputError(
                        f"--input: {place_in(source.name, first.line)} cannot be labelled: {first.reason}; mend it, or "
                        "let such rows come back without a label: --on-bad-row quarantine"
                    )
                answers: list[Answer | None] = []
                share = table.part_read(done.rows + len(batch.bad)) - part
                for some in _answers(predictor, batch, explained):
                    answers += some
                    progress.advance(done.rows + len(answers), part + share * len(answers) / len(batch.bad))
                part += share
                write(batch, answers)
                for bad in bad_rows:
                    write_reason(bad)
                    done.unlabelled[bad.kind] += 1
                    done.first.setdefault(bad.kind, f"{place_in(source.name, bad.line)}: {bad.reason}")
                done.rows += len(batch.bad)
    return done


def _answers(predictor: Predictor, batch: Batch, explained: bool) -> Iterator[list[Answer | None]]:
    """Labels the rows of a batch, but for the bad ones, some at once."""
    size = _TOLD_EXPLAINED_ROWS if explained else _TOLD_ROWS
    for start in range(0, len(batch.bad), size):
        some = slice(start, start + size)
        bad_rows = batch.bad[some]
        texts = {
            feature: [
                text.encode("utf-8", KEEP_UNDECODABLE)
                for text, bad in zip(found[some], bad_rows, strict=True)
                if not bad
            ]
            for feature, found in batch.texts.items()
        }
        answers = iter(_labelled(predictor, texts, explained) if any(texts.values()) else [])
        yield [None if bad else next(answers) for bad in bad_rows]


def _labelled(predictor: Predictor, texts: dict[str, list[bytes]], explained: bool) -> list[Answer]:
    predictions = predictor.predict(texts)
    if not explained:
        return [Answer(prediction.label, prediction.probabilities) for prediction in predictions]
    from fullbake.pipeline.prediction.explanation import explain_predictions, in_words

    return [
        Answer(prediction.label, prediction.probabilities, in_words(pushes, multi_label=predictor.multi_label))
        for prediction, pushes in zip(predictions, explain_predictions(predictor, texts, predictions), strict=True)
    ]


def check_files(
    source: Path,
    target: Path,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    quoting: str | None = None,
) -> dict[str, str]:
    """Finds what can be found wrong with the arguments of `label_file` before a model is opened.

    Returns:
        By the name of its setting of `Dialect`, what was said of the source.

    Raises:
        InputError: As `label_file`, but for the columns.
    """
    if source.is_dir():
        raise InputError(f"--input: {source} is a folder; name a file, such as one of its .arrow files")
    if not source.is_file():
        raise InputError(f"--input: there is no file {source}")
    target_writer(source, target)
    check_output(target, "--output")
    for file, what in ((target, ""), (unlabelled_file(target), ", where the rows without a label are listed,")):
        if file.exists() and file.samefile(source):
            raise InputError(f"--output: {file}{what} is the input; name another file, for its rows are not to be lost")
    given = {"delimiter": delimiter, "encoding": encoding, "quoting": quoting}
    said = {name: value for name, value in given.items() if value is not None}
    try:
        Dialect(**said)  # type: ignore[arg-type]
    except InputError as error:
        raise InputError(f"--{error}") from error
    with _reading(source):
        table_format(source).check(source, TextOptions(said))
    return said


@contextmanager
def _reading(source: Path) -> Iterator[None]:
    try:
        yield
    except WrongKindError as error:
        raise InputError(f"--input: {source} {error}") from None
    except OSError as error:
        raise InputError(f"--input: {source} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _place(columns: list[str], wanted: list[str], source: Path, known: Dialect) -> int:
    titles = [name.strip() for name in columns]
    for name in wanted:
        if titles.count(name.strip()) > 1:
            raise InputError(
                f"--input: {source} has {titles.count(name.strip())} columns named {name!r}; rename the others"
            )
        if name.strip() in titles:
            return titles.index(name.strip())
    shown = shorten(", ".join(printable(title) or "(no name)" for title in titles))
    remedy = "the model was trained on a column of that name: rename yours"
    if known.columns is not None:
        width = "" if known.columns == NUMBERED else f" of {len(known.columns)} columns"
        remedy = f"the model was trained on files{width} without a header: give it such a file, or a header"
    raise InputError(
        f"--input: {wanted[0]!r} is not a column of {source} (it has: {shown}){did_you_mean(wanted[0], titles)}; "
        f"{remedy}"
    )

"""Writes what became of the rows of all files: beside the splits, and as warnings in the log."""

import logging
import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence

from tfx.dsl.io import fileio

from fullbake.components.data.drift import measure_drift
from fullbake.components.data.ingest.parts import IngestParts
from fullbake.components.data.ingest.refusal import kind_in_words
from fullbake.components.data.ingest.settings import IngestSettings
from fullbake.components.data.ingest.tally import Tally
from fullbake.components.data.rows import NOTHING_TO_LEARN
from fullbake.contract.named_few import named_few
from fullbake.contract.names import INGEST_FILE, REJECTED_FILE
from fullbake.contract.results.ingest import Classes, Drift, Ingest, LineAccount, Repeats
from fullbake.contract.setting_names import setting_names

log = logging.getLogger("fullbake")


def find_drift(labels: Sequence[str], span_before: int, before: Tally, newest: Tally) -> Drift | str:
    """Returns how the newest span differs from the one before, or why that cannot be told."""
    if before.error:
        return f"span {span_before}, the one before, cannot be read: {before.error.text(setting_names())}"
    if not before.profile.rows:
        return f"span {span_before}, the one before, has no row that can be used"
    return measure_drift(labels, span_before, before.profile, newest.profile)


def write_summary(
    tally: Tally,
    corpus: Tally,
    repeats: Repeats,
    classes: Classes,
    drift: Drift | str | None,
    settings: IngestSettings,
    output_uri: str,
) -> None:
    """Writes `ingest.json`, an `Ingest`, and warns of what people should know.

    Args:
        tally: Of the labelled files.
        corpus: Of the corpus's files.
        repeats: What repeats or contradicts an earlier row.
        classes: How large the classes are, and which are left out.
        drift: What `find_drift` returned; None if there is no span before.
        settings: The labels and the splits.
        output_uri: The folder of the splits.
    """
    fmt = settings.csv_format
    labels, masked = _by_split(tally.labels, settings), _by_split(tally.masked, settings)
    ordinary_quotes = [*tally.ordinary_quotes, *corpus.ordinary_quotes]
    notes = [
        *repeats.in_words(multi_label=fmt.multi_label),
        *_note_of_rare(tally, classes, settings),
        *_notes_of_nothing_to_learn(tally),
        *_note_of_quotes(ordinary_quotes),
    ]
    for note in notes:
        log.warning("data: %s", note)
    ingest = Ingest(
        read=tally.read,
        used=tally.used,
        rejected=tally.rejected,
        examples={split: tally.examples[split] for split in settings.labelled_splits},
        labels=labels,
        masked=masked if fmt.multi_label else {},
        reasons={kind_in_words(kind, setting_names()): rows for kind, rows in tally.reasons.most_common()},
        lines=LineAccount(**tally.line_account()),
        ordinary_quotes=tuple(ordinary_quotes),
        repeats=repeats,
        classes=classes,
        notes=tuple(notes),
        corpus=corpus.used,
        corpus_rejected=corpus.rejected,
        corpus_reasons=dict(corpus.reasons.most_common()),
        corpus_lines=LineAccount(**corpus.line_account()),
        drift=drift if isinstance(drift, Drift) else None,
        drift_unknown=drift if isinstance(drift, str) else None,
    )
    with fileio.open(os.path.join(output_uri, INGEST_FILE), "w") as file:
        file.write(ingest.to_json())


def _by_split(rows: Mapping[str, Mapping[str, int]], settings: IngestSettings) -> dict[str, dict[str, int]]:
    """Returns by split and label, of all of them, how many rows there are."""
    labels, splits = settings.csv_format.labels, settings.labelled_splits
    return {split: {label: rows.get(split, {}).get(label, 0) for label in labels} for split in splits}


def write_rejected(parts: IngestParts, file_count: int, output_uri: str) -> None:
    """Writes `rejected.csv`, of what the workers wrote for each file.

    It has file, line, reason and fields (a JSON list) of every row that was quarantined or, because its text is held
    out for measuring, kept out of training; of the latter the fields are text, second text and label, if any.
    """
    with fileio.open(os.path.join(output_uri, REJECTED_FILE), "wb") as whole:
        whole.write(b"file,line,reason,fields\n")
        for number in range(file_count):
            with fileio.open(parts.rejected(number), "rb") as part:
                shutil.copyfileobj(part, whole)


def _note_of_rare(tally: Tally, classes: Classes, settings: IngestSettings) -> list[str]:
    kind = settings.csv_format.rare_classes
    rows = Counter({label: 0 for label in classes.left_out if label != kind})
    rows.update(tally.rare)
    if not rows:
        return []
    beyond = rows.pop("", 0)
    named = [f"{label!r} ({_number(count, 'row')})" for label, count in rows.most_common()]
    classes_told = f"{len(rows):,} and more classes" if beyond else _number(len(rows), "class", "classes")
    fate = f"{'is' if len(rows) == 1 else 'are'} {'left out' if kind == 'drop' else repr(kind)}"
    told = f"{classes_told} ({_number(rows.total() + beyond, 'row')}) {fate}"
    return [f"{told} ({setting_names()['rare_classes']}: {kind}): {named_few(named)}"]


def _number(count: int, one: str, several: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def _notes_of_nothing_to_learn(tally: Tally) -> list[str]:
    return [
        f"{_number(rows, 'row')} of {tally.read:,} {'is' if rows == 1 else 'are'} not used: {kind}"
        for kind in NOTHING_TO_LEARN
        if (rows := tally.reasons[kind])
    ]


def _note_of_quotes(files: list[str]) -> list[str]:
    if not files:
        return []
    more = f" and {len(files) - 1:,} more files" if len(files) > 1 else ""
    return [f"double quotes are characters like any other in {files[0]}{more}, for else they join rows"]

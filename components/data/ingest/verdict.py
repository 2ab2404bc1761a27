"""Judges what became of the rows of all files: whether the run can go on with them."""

from fullbake.components.data.ingest.refusal import HELD_OUT_SPLITS, IN_HELD_OUT_SPLITS, IN_TEST_BASE
from fullbake.components.data.ingest.settings import IngestSettings
from fullbake.components.data.ingest.tally import Tally
from fullbake.components.data.row_slices import OF_IDENTITY, RowSlices
from fullbake.components.data.slicing import too_many_slices
from fullbake.contract.errors import InputError
from fullbake.contract.names import TEST_SPLIT
from fullbake.contract.results.ingest import Repeats
from fullbake.contract.setting_names import setting_names

_REASONS_SHOWN = 3


def judge_ingest(tally: Tally, corpus: Tally, repeats: Repeats, settings: IngestSettings) -> None:
    """Checks that all files were read, that few enough rows are bad, and that no split is empty.

    Args:
        tally: Of the labelled files.
        corpus: Of the corpus's files.
        repeats: What repeats or contradicts an earlier row.
        settings: The bounds.

    Raises:
        InputError: One of it is not so.
    """
    _judge_files(tally, corpus)
    _judge_rows(tally, settings)
    _judge_rows(corpus, settings)
    if repeats.conflicting_texts and settings.on_conflict == "fail":
        raise InputError(
            "{conflicts}; correct the labels, or set it to drop or keep",
            field="on_conflict",
            conflicts=repeats.in_words(multi_label=settings.csv_format.multi_label)[0],
        )
    _judge_splits(tally, corpus, settings)
    _judge_slices(tally, settings.csv_format.slices)


def _judge_files(*tallies: Tally) -> None:
    for tally in tallies:
        if error := tally.error or too_many_slices(tally.slices):
            raise error
        if tally.read != tally.used + tally.rejected:
            raise RuntimeError(f"{tally.read} rows were read, but {tally.used} used and {tally.rejected} rejected")


def _judge_rows(tally: Tally, settings: IngestSettings) -> None:
    bad = tally.bad
    if bad and settings.on_bad_row == "fail":
        raise InputError(
            "{first}; fix the row, or set {on_bad_row} to quarantine",
            field="on_bad_row",
            first=next(iter(tally.first.values())),
        )
    if bad.total() > settings.max_bad_fraction * tally.read:
        worst = "; ".join(
            f"{count:,} x {kind}, as {tally.first[kind]}" for kind, count in bad.most_common(_REASONS_SHOWN)
        )
        raise InputError(
            "{bad:,} of {read:,} rows ({share:.2%}) cannot be used, and {bound:.2%} may be: {worst}; fix the rows or "
            "raise the bound",
            field="max_bad_fraction",
            bad=bad.total(),
            read=tally.read,
            share=bad.total() / tally.read,
            bound=settings.max_bad_fraction,
            worst=worst,
        )


def _judge_slices(tally: Tally, slices: RowSlices) -> None:
    """Checks that each column of slices makes one: with none, a bound on it would be missed after the training."""
    for column in slices.columns:
        if not any(name.startswith(f"{column.strip()}=") for name in tally.slices):
            raise InputError(
                "no row has a value in column {column!r}; is it the right one? take it out, or add rows",
                field="slices",
                column=column,
            )
    for column in slices.identities:
        if column.strip() not in tally.slices:
            raise InputError(
                "no row has {least:g} or more in column {column!r}; is it the right one? take it out, or add rows",
                field="identity_columns",
                column=column,
                least=OF_IDENTITY,
            )


def _judge_splits(tally: Tally, corpus: Tally, settings: IngestSettings) -> None:
    if settings.test_base is not None and not tally.examples.get(TEST_SPLIT):
        raise InputError("none of its rows can be used; fix them, or set it to null", field="test_base")
    if settings.corpus_base is not None and not corpus.used:
        also = corpus.reasons[IN_HELD_OUT_SPLITS]
        aside = f" ({also:,} are in {HELD_OUT_SPLITS} too)" if also else ""
        raise InputError(
            "none of its texts can be used{aside}; fix them, or set it to null", field="corpus_base", aside=aside
        )
    for split in settings.split:
        if not tally.examples.get(split):
            usable = sum(tally.examples.get(name, 0) for name in settings.split)
            also = tally.reasons[IN_TEST_BASE]
            aside = f" ({also:,} more are in {setting_names()['test_base']} too)" if also else ""
            raise InputError(
                "none of the {usable:,} usable rows{aside} fell into {part!r}; add rows or give it a larger share",
                field="split",
                usable=usable,
                aside=aside,
                part=split,
            )

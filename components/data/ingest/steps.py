"""The steps in which Beam's workers read data files."""

from dataclasses import replace

import apache_beam as beam

from fullbake.components.data.data_file import DataFile
from fullbake.components.data.data_folders import CORPUS_BASE, INPUT_BASE, TEST_BASE
from fullbake.components.data.ingest.parts import IngestParts
from fullbake.components.data.ingest.plan import plan_rows
from fullbake.components.data.ingest.settings import IngestSettings
from fullbake.components.data.ingest.worker import ingest_corpus_file, ingest_file, profile_file, scan_file
from fullbake.components.data.row_slices import NO_SLICES
from fullbake.contract.names import CORPUS_SPLIT, EVAL_SPLIT, TEST_SPLIT

_MEASURING_SPLITS = (EVAL_SPLIT, TEST_SPLIT)  # their texts must not be in the corpus


def add_ingest(
    pipeline: beam.Pipeline,
    settings: IngestSettings,
    files: list[DataFile],
    test_files: list[DataFile],
    corpus_files: list[DataFile],
    split_uris: dict[str, str],
    parts: IngestParts,
) -> None:
    """Adds to a pipeline the reading of all files: first of all labelled ones, then what to do with their rows.

    Args:
        pipeline: The pipeline.
        settings: How the files are read, and what becomes of their rows.
        files: The labelled files.
        test_files: Those of the test folder.
        corpus_files: Those of the corpus.
        split_uris: Name of a split -> the folder of its shards.
        parts: For what the workers leave for each other.
    """
    common = {"parts": parts, "stop_at_bad_row": settings.on_bad_row == "fail"}
    labelled = {"fmt": settings.csv_format, **common}
    sources = [("Labelled", files, INPUT_BASE), *([("Test", test_files, TEST_BASE)] if test_files else [])]
    shared = {name: _shared_out(pipeline, name, found) for name, found, _ in sources}
    scanned = [
        shared[name] | f"Scan{name}" >> beam.Map(scan_file, source=source, **labelled) for name, _, source in sources
    ]
    # Side inputs, because Beam has them whole before it goes on.
    planned = beam.pvalue.AsSingleton(
        pipeline
        | "Once" >> beam.Create([parts])
        | "Plan"
        >> beam.Map(
            lambda parts, scanned, **settings: plan_rows(parts, **settings),
            beam.pvalue.AsList(scanned | "Scanned" >> beam.Flatten()),
            files=files,
            test_files=test_files,
            labels=settings.csv_format.labels,
            multi_label=settings.csv_format.multi_label,
            split=settings.split,
            needed_test_rows=settings.needed_test_rows,
            rare_classes=settings.csv_format.rare_classes,
            held_out_splits=_MEASURING_SPLITS,
            drop_duplicates=settings.on_duplicate == "drop",
            drop_conflicts=settings.on_conflict == "drop",
        )
    )
    uris = {split: split_uris[split] for split in settings.labelled_splits}
    for name, _, source in sources:
        _ = shared[name] | f"Ingest{name}" >> beam.Map(
            lambda file, planned, **settings: ingest_file(file, **settings),
            planned,
            split_uris=uris,
            source=source,
            **labelled,
        )
    if corpus_files:
        _ = _shared_out(pipeline, "Corpus", corpus_files) | "IngestCorpus" >> beam.Map(
            lambda file, planned, **settings: ingest_corpus_file(file, **settings),
            planned,
            fmt=settings.csv_format.unlabelled(),
            split=CORPUS_SPLIT,
            split_uri=split_uris[CORPUS_SPLIT],
            source=CORPUS_BASE,
            pairs=settings.csv_format.text_pair_column is not None,
            **common,
        )


def add_profile(pipeline: beam.Pipeline, settings: IngestSettings, files: list[DataFile], parts: IngestParts) -> None:
    """Adds to a pipeline the reading of files that are only compared with.

    Args:
        pipeline: The pipeline.
        settings: How the files are read.
        files: The files.
        parts: Gets their tallies.
    """
    _ = _shared_out(pipeline, "Before", files) | "ProfileBefore" >> beam.Map(
        profile_file, fmt=replace(settings.csv_format, slices=NO_SLICES), parts=parts
    )


def _shared_out(pipeline: beam.Pipeline, name: str, files: list[DataFile]) -> beam.PCollection:
    return pipeline | f"{name}Files" >> beam.Create(files) | f"ShareOut{name}" >> beam.Reshuffle()

"""Reads a labelled file as ExampleGen does, all of its rows into the test split."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

import apache_beam as beam
from tfx.components.example_gen import write_split
from tfx.components.util import examples_utils
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_artifacts

from fullbake.components.data.data_file import DataFile
from fullbake.components.data.ingest.parts import IngestParts
from fullbake.components.data.ingest.settings import IngestSettings
from fullbake.components.data.ingest.steps import add_ingest
from fullbake.components.data.ingest.summary import write_rejected, write_summary
from fullbake.components.data.ingest.tally import Tally
from fullbake.components.data.ingest.verdict import judge_ingest
from fullbake.contract.errors import InputError
from fullbake.contract.names import INGEST_FILE, REJECTED_FILE, TEST_SPLIT
from fullbake.contract.results.ingest import Ingest
from fullbake.pipeline.judging.judging_plan import JudgingPlan


class Examples(NamedTuple):
    """What was read.

    Attributes:
        artifact: The examples, all in the split `test`.
        ingest: What became of the rows.
        rejected: The file of those that are not used.
    """

    artifact: standard_artifacts.Examples
    ingest: Ingest
    rejected: str


def read_examples(plan: JudgingPlan, folder: str, pipeline: Callable[[], beam.Pipeline]) -> Examples:
    """Reads the file of a plan.

    Args:
        plan: Says how.
        folder: Where the examples go.
        pipeline: Makes a pipeline.

    Raises:
        InputError: It cannot be read, or has no row that can be used, or too many that cannot.
    """
    settings = IngestSettings(
        csv_format=plan.row_format,
        split={TEST_SPLIT: 1},
        on_bad_row=plan.on_bad_row,
        max_bad_fraction=plan.max_bad_fraction,
        on_duplicate=plan.on_duplicate,
        on_conflict=plan.on_conflict,
        test_base=None,
        corpus_base=None,
        window=1,
        pattern=plan.file.name,
        needed_test_rows={},
        label_from="column",
        labels_file=None,
        test_labels_file=None,
    )
    artifact = standard_artifacts.Examples()
    artifact.uri = folder
    artifact.split_names = artifact_utils.encode_split_names([TEST_SPLIT])
    examples_utils.set_payload_format(artifact, example_gen_pb2.FORMAT_TF_EXAMPLE)
    examples_utils.set_file_format(artifact, write_split.to_file_format_str(example_gen_pb2.FORMAT_TFRECORDS_GZIP))
    split = artifact_utils.get_split_uri([artifact], TEST_SPLIT)
    parts = IngestParts(os.path.join(folder, "parts"))
    for made in (split, parts.uri):
        os.makedirs(made)
    files = [DataFile(0, str(plan.file), plan.file.name)]
    with pipeline() as running:
        add_ingest(running, settings, files, [], [], {TEST_SPLIT: split}, parts)
    tally = parts.tally(files)
    if not tally.used and not tally.bad and not tally.error:
        why = "; ".join(f"{rows:,} x {kind}" for kind, rows in tally.reasons.most_common())
        raise InputError(
            "{file} has no row that can be used{why}", field="input_base", file=plan.file.name, why=why and f": {why}"
        )
    judge_ingest(tally, Tally(), parts.repeats(), settings)
    write_summary(tally, Tally(), parts.repeats(), parts.classes(), None, settings, folder)
    write_rejected(parts, len(files), folder)
    with open(os.path.join(folder, INGEST_FILE), "rb") as file:
        return Examples(artifact, Ingest.from_json(file.read()), os.path.join(folder, REJECTED_FILE))

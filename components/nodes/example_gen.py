"""ExampleGen for the files people have: every row becomes an example or is written aside with the reason.

TFX's own CsvExampleGen splits the header at commas, reads UTF-8 only, and shuffles every row. Here only file names pass
a shuffle (see `components.data.ingest.worker`), so memory stays flat however many rows there are.
"""

import os
from collections.abc import Mapping
from typing import Any, Literal

from tfx import types
from tfx.components import FileBasedExampleGen
from tfx.components.example_gen import driver, utils, write_split
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor, executor_spec
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx.types import standard_component_specs as specs
from tfx.utils import proto_utils

from fullbake.components.data.data_folders import CORPUS_BASE, TEST_BASE
from fullbake.components.data.ingest.fingerprint import Files, fingerprint
from fullbake.components.data.ingest.input_files import find_labelled_files, find_other_files, other_pattern
from fullbake.components.data.ingest.older_spans import add_older_spans, find_span_before
from fullbake.components.data.ingest.parts import IngestParts
from fullbake.components.data.ingest.settings import IngestSettings
from fullbake.components.data.ingest.steps import add_ingest, add_profile
from fullbake.components.data.ingest.summary import find_drift, write_rejected, write_summary
from fullbake.components.data.ingest.verdict import judge_ingest
from fullbake.components.data.label_place import check_labels
from fullbake.components.data.row_format import RowFormat
from fullbake.components.serving.plain_path import plain_path
from fullbake.contract.errors import InputError
from fullbake.contract.names import CORPUS_SPLIT, TEST_SPLIT
from fullbake.contract.progress import tell
from fullbake.trainer.locations import locate

_PARTS_FOLDER = "ingest-parts"  # what the workers write beside the splits, until it is merged


class Executor(base_beam_executor.BaseBeamExecutor):
    """Reads the files, each in one Beam worker, and judges what became of their rows."""

    def Do(  # noqa: N802, TFX's name
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Fills the `Examples` artifact from the files which the driver's pattern names.

        Args:
            input_dict: Empty.
            output_dict: `examples`: the one artifact to fill.
            exec_properties: As `CsvExampleGen` sets them and TFX's driver completes them: the span is in the pattern.

        Raises:
            InputError: As `CsvExampleGen` says.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        settings = IngestSettings.from_exec_properties(exec_properties)
        input_config = example_gen_pb2.Input()
        proto_utils.json_to_proto(exec_properties[specs.INPUT_CONFIG_KEY], input_config)
        input_base, patterns = locate(exec_properties[specs.INPUT_BASE_KEY]), [s.pattern for s in input_config.splits]
        newest_files = find_labelled_files(input_base, patterns[:1], place=settings.place)
        if not newest_files:
            raise InputError(
                "no file matches {wanted}; set {input_base} to the folder of the CSV files and {pattern} to their "
                "names",
                field="input_base",
                wanted=os.path.join(input_base, patterns[0]),
            )
        files = [*newest_files, *find_labelled_files(input_base, patterns[1:], len(newest_files), settings.place)]
        test_files = find_other_files(settings.test_base, TEST_BASE, len(files), settings.test_place)
        check_labels(files, settings.csv_format)
        check_labels(test_files, settings.csv_format, TEST_BASE)
        corpus_files = find_other_files(settings.corpus_base, CORPUS_BASE, len(files) + len(test_files))
        file_count = len(files) + len(test_files) + len(corpus_files)
        span_before, pattern_before = find_span_before(
            input_base, settings.pattern, exec_properties[utils.SPAN_PROPERTY_NAME]
        )
        patterns_before = [pattern_before] if pattern_before else []
        files_before = find_labelled_files(input_base, patterns_before, file_count, settings.place)
        # A window has read them already.
        ingested = {file.path: file for file in files}
        unread = [file for file in files_before if file.path not in ingested]
        files_before = [ingested.get(file.path, file) for file in files_before]

        artifact = artifact_utils.get_single_instance(output_dict[specs.EXAMPLES_KEY])
        artifact.split_names = artifact_utils.encode_split_names(settings.split_names)
        split_uris = {split: artifact_utils.get_split_uri([artifact], split) for split in settings.split_names}
        parts = IngestParts(os.path.join(artifact.uri, _PARTS_FOLDER))
        for folder in (*split_uris.values(), parts.uri):
            fileio.makedirs(folder)
        tell("reading 1 file" if file_count == 1 else f"reading {file_count:,} files")
        with self._make_beam_pipeline() as pipeline:
            add_ingest(pipeline, settings, files, test_files, corpus_files, split_uris, parts)
            if unread:
                add_profile(pipeline, settings, unread, parts)

        promised = exec_properties[utils.FINGERPRINT_PROPERTY_NAME]
        if _fingerprint(input_config, settings, input_base, pattern_before) != promised:
            raise InputError(
                "the files in {folders} changed while they were read; leave them as they are while it runs, and run it "
                "again",
                field="input_base",
                folders=", ".join(settings.folders(input_base)),
            )
        tally, corpus = parts.tally([*files, *test_files]), parts.tally(corpus_files)
        repeats = parts.repeats()
        judge_ingest(tally, corpus, repeats, settings)
        drift = None
        if files_before:
            before, newest = parts.tally(files_before), parts.tally(newest_files)
            drift = find_drift(settings.csv_format.labels, span_before, before, newest)
        write_summary(tally, corpus, repeats, parts.classes(), drift, settings, artifact.uri)
        write_rejected(parts, file_count, artifact.uri)
        fileio.rmtree(parts.uri)
        artifact.set_string_custom_property(specs.INPUT_BASE_KEY, input_base)
        for key in ("read", "used", "rejected"):
            artifact.set_int_custom_property(key, getattr(tally, key))
        examples_utils.set_payload_format(artifact, exec_properties[specs.OUTPUT_DATA_FORMAT_KEY])
        file_format = write_split.to_file_format_str(exec_properties[specs.OUTPUT_FILE_FORMAT_KEY])
        examples_utils.set_file_format(artifact, file_format)


class Driver(driver.FileBasedDriver):
    """TFX's own, but for the window of spans, for the fingerprints of the other folders, and for whose error it is."""

    def resolve_exec_properties(self, exec_properties: dict[str, Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Finds the span, the version and the fingerprint of all files.

        Of a window, the input config gets a pattern for each span, the newest first; a span that is not there is left
        out.

        Raises:
            InputError: No file fits the markers in the pattern, or the pattern is not one.
        """
        asked = example_gen_pb2.Input()
        proto_utils.json_to_proto(exec_properties[specs.INPUT_CONFIG_KEY], asked)
        name = exec_properties[specs.INPUT_BASE_KEY]
        base = locate(name)
        try:
            with plain_path(base) as plain:
                resolved: dict[str, Any] = super().resolve_exec_properties(
                    {**exec_properties, specs.INPUT_BASE_KEY: plain}, *args, **kwargs
                )
        except ValueError as error:
            reason = " ".join(str(error).split())
            raise InputError(
                "no span or version can be found in {folder}: {reason}", field="pattern", folder=base, reason=reason
            ) from error
        found = example_gen_pb2.Input()
        proto_utils.json_to_proto(resolved[specs.INPUT_CONFIG_KEY], found)
        settings, span = IngestSettings.from_exec_properties(resolved), resolved[utils.SPAN_PROPERTY_NAME]
        add_older_spans(found, asked, base, span, settings.window)
        _, before = find_span_before(base, settings.pattern, span)
        return {
            **resolved,
            specs.INPUT_BASE_KEY: name,
            specs.INPUT_CONFIG_KEY: proto_utils.proto_to_json(found),
            utils.FINGERPRINT_PROPERTY_NAME: _fingerprint(found, settings, base, before),
        }


class CsvExampleGen(FileBasedExampleGen):
    """Turns CSV files into the splits of an `Examples` artifact.

    TFX's driver finds the newest span and version where the pattern has `{SPAN}` (or `{YYYY}`, `{MM}` and `{DD}`) and
    `{VERSION}`. The files of all folders are fingerprinted, so that the same files are not ingested twice. Files whose
    name says that they are compressed are decompressed; files whose name starts with `.` or `_` are left out.

    Output `examples`: gzipped TFRecords of `tf.train.Example` with the features `text`, `label` (the canonical name)
    and, where the format has pairs, `text_pair`: each one bytes value. Of a multi-label format, `label` has all that
    the row has, and `masked_label` those of which nobody knows. A split keeps the order of files and rows. Beside the
    splits lie `ingest.json` and `rejected.csv`; the artifact's custom properties `read`, `used` and `rejected` say how
    many labelled rows were. Of numbered spans, `ingest.json` also says how far the newest has drifted from the one
    before it, which is read for that where the window does not hold it.

    Labelled files are read twice (and a third time where they hold quotes, see `quoting_of`): rows that repeat or
    contradict each other may be in different files. `ingest.json` says how many there are.

    A test folder makes the split `test`, whole. A row of `input_base` with the text of one of its rows (or a trivial
    copy, see `split_of`) is rejected whatever `on_bad_row` and `max_bad_fraction` say, because a model is not to be
    trained on what judges it. An unlabelled corpus makes the split `corpus`, the last, with an empty `label` and, where
    the format has pairs, an empty `text_pair`. It is often the dump from which the labelled rows were drawn, so that a
    text that is also in the split `eval` or `test`, by hash or from the test folder, is rejected in the same way; one
    that is in `train` stays, for it is learned anyway. Whole texts are compared, of pairs the first: a single line of a
    test text is not recognised.

    Args:
        input_base: Folder of the files, local or on any file system that Beam and TensorFlow can read; or the name by
            which `trainer.locations.locate` finds it, so that its place is no part of the cache key. The same holds of
            the other folders.
        pattern: Which files below it, as a glob, with TFX's markers for span and version if wanted.
        row_format: The columns, labels, delimiter and encoding, and what becomes of rare classes: with its
            `rare_classes` other than "fail", rows of a class that is not listed, or has fewer texts than there are
            splits, are left out as no bad rows, or get the label `other`.
        split: Name of a split -> its share, in parts; by hash of the text (see `split_of`), but for classes that would
            have too few rows in one of them (see `stratify`).
        on_bad_row: "fail" stops at a row that cannot be used; "quarantine" writes it to `rejected.csv`.
        max_bad_fraction: The share of such rows, of the labelled and of the corpus, beyond which quarantine stops too.
        on_duplicate: Of labelled rows with the same text (and second text) and label, in whatever files: "keep" uses
            all, "drop" the first; the others are then rejected, as no bad rows.
        on_conflict: Of labelled rows with the same text and different labels: "keep" uses all, "drop" none, "fail"
            stops.
        test_base: Folder of the test set's CSV files, in the same format; `split` then has no `test`. None (default):
            there is none.
        window: How many spans are read: the newest and those with the numbers before it. More than one (the default)
            takes a pattern with `{SPAN}` and without `{VERSION}`.
        corpus_base: Folder of unlabelled text: files named `*.txt` (and compressed ones) hold a text to a line; of all
            others the text column alone is wanted. None (default): there is none.
        needed_test_rows: Label -> rows that it must have in the split `test`, if the class can give them. Default: a
            few (`stratify.LEAST`).
        label_from: Where labels are: in a "column", in the "filename" or in the "folder" (see `LabelPlace`).
        labels_file: The file with the labels, below `input_base` or an address; the texts find theirs by the format's
            `id_column` or, without one, line by line. None (default): there is none.
        test_labels_file: The same for the files of the test folder, below it.

    Raises:
        InputError: When run: no file matches, one cannot be read, a bad row or too many of them, texts with several
            labels where these are to stop it, an empty split.

    Example:
        >>> labels = ("good", "bad")
        >>> example_gen = CsvExampleGen("data", "*.csv", RowFormat("text", "label", labels), {"train": 8, "eval": 2})
        >>> example_gen.outputs["examples"].type_name
        'Examples'
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)
    DRIVER_CLASS = Driver

    def __init__(
        self,
        input_base: str,
        pattern: str,
        row_format: RowFormat,
        split: Mapping[str, int],
        on_bad_row: Literal["fail", "quarantine"] = "fail",
        max_bad_fraction: float = 0.01,
        *,
        on_duplicate: Literal["keep", "drop"] = "keep",
        on_conflict: Literal["keep", "drop", "fail"] = "keep",
        test_base: str | None = None,
        corpus_base: str | None = None,
        window: int = 1,
        label_from: Literal["column", "filename", "folder"] = "column",
        labels_file: str | None = None,
        test_labels_file: str | None = None,
        needed_test_rows: Mapping[str, int] | None = None,
    ):
        settings = IngestSettings(
            csv_format=row_format,
            split=dict(split),
            on_bad_row=on_bad_row,
            max_bad_fraction=max_bad_fraction,
            on_duplicate=on_duplicate,
            on_conflict=on_conflict,
            test_base=test_base,
            corpus_base=corpus_base,
            window=window,
            pattern=pattern,
            label_from=label_from,
            labels_file=labels_file,
            test_labels_file=test_labels_file,
            needed_test_rows=dict(needed_test_rows or {}),
        )
        super().__init__(
            input_base=input_base,
            input_config=utils.make_default_input_config(pattern),
            output_config=settings.output_config(),
            custom_config=settings.custom_config(),
        )


def _fingerprint(
    found: example_gen_pb2.Input, settings: IngestSettings, input_base: str, pattern_before: str | None
) -> str:
    """Returns the fingerprint of all files that are read.

    Args:
        found: The patterns of the spans that are read.
        settings: Name the other folders.
        input_base: Where the labelled files are.
        pattern_before: Of the files of the span before the newest, which is compared with; None if there is none.
    """
    files = [Files(split.name, input_base, split.pattern) for split in found.splits]
    if pattern_before is not None and pattern_before not in [split.pattern for split in found.splits]:
        files.append(Files("before", input_base, pattern_before))
    others = [("labels_file", settings.place.labels_path(input_base))]
    if settings.test_base is not None:
        folder = locate(settings.test_base)
        files.append(Files(TEST_SPLIT, folder, other_pattern(settings.test_place)))
        others.append(("test_labels_file", settings.test_place.labels_path(folder)))
    if settings.corpus_base is not None:
        files.append(Files(CORPUS_SPLIT, locate(settings.corpus_base), "*"))
    return fingerprint(files, [(setting, path) for setting, path in others if path is not None])

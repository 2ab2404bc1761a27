"""ExampleGen for the files people have: every row becomes an example or is written aside with the reason.

TFX's own CsvExampleGen splits the header at commas, reads UTF-8 only, and shuffles every row. Here only file names pass
a shuffle (see `csv_ingest`), so memory stays flat however many rows there are.
"""

import contextlib
import glob
import json
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from google.protobuf import struct_pb2
from tfx import types
from tfx.components import FileBasedExampleGen
from tfx.components.example_gen import driver, input_processor, utils, write_split
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor, executor_spec
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2, range_config_pb2
from tfx.types import artifact_utils
from tfx.types import standard_component_specs as specs
from tfx.utils import proto_utils

from fullbake.components.data.csv_ingest import (
    HELD_OUT_SPLITS,
    IN_HELD_OUT_SPLITS,
    IN_TEST_BASE,
    File,
    Tally,
    ingest_corpus_file,
    ingest_file,
    plan_files,
    profile_file,
    rejected_part,
    repeats_part,
    scan_file,
    tally_part,
)
from fullbake.components.data.csv_rows import CORPUS_BASE, INPUT_BASE, TEST_BASE, CsvFormat
from fullbake.components.data.data_files import match_files
from fullbake.components.data.drift import measure_drift
from fullbake.components.serving.plain_path import plain_path
from fullbake.contract.errors import InputError
from fullbake.contract.names import CORPUS_SPLIT, EVAL_SPLIT, INGEST_FILE, REJECTED_FILE, TEST_SPLIT
from fullbake.contract.results.ingest import Drift, Ingest, LineAccount, Repeats
from fullbake.trainer.content_hash import hash_file, hash_names
from fullbake.trainer.locations import locate

log = logging.getLogger("fullbake")

_MEASURING_SPLITS = (EVAL_SPLIT, TEST_SPLIT)  # their texts must not be in the corpus
_SETTINGS_KEY = "settings"
_PARTS_FOLDER = "ingest-parts"  # what the workers write beside the splits, until it is merged
_REASONS_SHOWN = 3
_LONGEST_GAP = 31  # between the numbers of a span and the one before it: of daily spans, a month; each costs a look


@dataclass(frozen=True)
class _Settings:
    """What the executor and its workers have to know, from the execution properties."""

    csv_format: CsvFormat
    split: dict[str, int]
    on_bad_row: str
    max_bad_fraction: float
    on_duplicate: str
    on_conflict: str
    test_base: str | None
    corpus_base: str | None
    window: int
    pattern: str

    @property
    def labelled_splits(self) -> list[str]:
        """The splits made by hash, and the test folder's."""
        return [*self.split, *([] if self.test_base is None else [TEST_SPLIT])]

    def folders(self, input_base: str) -> list[str]:
        """Where all folders are."""
        return [input_base, *(locate(folder) for folder in (self.test_base, self.corpus_base) if folder is not None)]

    @property
    def split_names(self) -> list[str]:
        return [*self.labelled_splits, *([] if self.corpus_base is None else [CORPUS_SPLIT])]

    @classmethod
    def from_exec_properties(cls, exec_properties: Mapping[str, Any]) -> "_Settings":
        custom_config = example_gen_pb2.CustomConfig()
        proto_utils.json_to_proto(exec_properties[specs.CUSTOM_CONFIG_KEY], custom_config)
        packed = struct_pb2.Struct()
        custom_config.custom_config.Unpack(packed)
        values = json.loads(packed[_SETTINGS_KEY])
        output_config = example_gen_pb2.Output()
        proto_utils.json_to_proto(exec_properties[specs.OUTPUT_CONFIG_KEY], output_config)
        split = {part.name: part.hash_buckets for part in output_config.split_config.splits}
        return cls(**{**values, "csv_format": CsvFormat.from_dict(values["csv_format"])}, split=split)


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
        settings = _Settings.from_exec_properties(exec_properties)
        input_config = example_gen_pb2.Input()
        proto_utils.json_to_proto(exec_properties[specs.INPUT_CONFIG_KEY], input_config)
        input_base, patterns = locate(exec_properties[specs.INPUT_BASE_KEY]), [s.pattern for s in input_config.splits]
        newest_files = _find_files(input_base, patterns[:1])
        if not newest_files:
            raise InputError(
                f"data.input_base: no file matches {os.path.join(input_base, patterns[0])}; set data.input_base to the "
                "folder of the CSV files and data.pattern to their names"
            )
        files = [*newest_files, *_find_files(input_base, patterns[1:], len(newest_files))]
        test_files = _find_other_files(settings.test_base, TEST_BASE, len(files))
        corpus_files = _find_other_files(settings.corpus_base, CORPUS_BASE, len(files) + len(test_files))
        part_count = len(files) + len(test_files) + len(corpus_files)
        span_before, pattern_before = _find_span_before(
            input_base, settings.pattern, exec_properties[utils.SPAN_PROPERTY_NAME]
        )
        files_before = _find_files(input_base, [pattern_before], part_count) if pattern_before else []
        # A window has read them already.
        ingested = {path: (number, path, name) for number, path, name in files}
        unread = [file for file in files_before if file[1] not in ingested]
        files_before = [ingested.get(file[1], file) for file in files_before]

        artifact = artifact_utils.get_single_instance(output_dict[specs.EXAMPLES_KEY])
        artifact.split_names = artifact_utils.encode_split_names(settings.split_names)
        split_uris = {split: artifact_utils.get_split_uri([artifact], split) for split in settings.split_names}
        parts_uri = os.path.join(artifact.uri, _PARTS_FOLDER)
        for folder in (*split_uris.values(), parts_uri):
            fileio.makedirs(folder)
        with self._make_beam_pipeline() as pipeline:
            _ingest(pipeline, settings, files, test_files, corpus_files, split_uris, parts_uri)
            if unread:
                _ = _shared_out(pipeline, "Before", unread) | "ProfileBefore" >> beam.Map(
                    profile_file, fmt=settings.csv_format, parts_uri=parts_uri
                )

        promised = exec_properties[utils.FINGERPRINT_PROPERTY_NAME]
        if _fingerprint(input_config, settings, input_base, pattern_before) != promised:
            raise InputError(
                f"{INPUT_BASE}: the files in {', '.join(settings.folders(input_base))} changed while they were read; "
                "leave them as they are while it runs, and run it again"
            )
        tally, corpus = _add_up(parts_uri, [*files, *test_files]), _add_up(parts_uri, corpus_files)
        with fileio.open(repeats_part(parts_uri)) as part:
            repeats = Repeats(**json.load(part))
        _judge_files(tally, corpus)
        _judge_rows(tally, settings)
        _judge_rows(corpus, settings)
        _judge_repeats(repeats, settings)
        _judge_splits(tally, corpus, settings)
        drift = None
        if files_before:
            before, newest = _add_up(parts_uri, files_before), _add_up(parts_uri, newest_files)
            drift = _drift(settings.csv_format.labels, span_before, before, newest)
        _write_summary(tally, corpus, repeats, drift, settings, artifact.uri)
        _merge_rejected(parts_uri, part_count, os.path.join(artifact.uri, REJECTED_FILE))
        fileio.rmtree(parts_uri)
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
            raise InputError(f"data.pattern: no span or version can be found in {base}: {reason}") from error
        found = example_gen_pb2.Input()
        proto_utils.json_to_proto(resolved[specs.INPUT_CONFIG_KEY], found)
        settings, span = _Settings.from_exec_properties(resolved), resolved[utils.SPAN_PROPERTY_NAME]
        _add_older_spans(found, asked, base, span, settings.window)
        _, before = _find_span_before(base, settings.pattern, span)
        return {
            **resolved,
            specs.INPUT_BASE_KEY: name,
            specs.INPUT_CONFIG_KEY: proto_utils.proto_to_json(found),
            utils.FINGERPRINT_PROPERTY_NAME: _fingerprint(found, settings, base, before),
        }


def _add_older_spans(
    found: example_gen_pb2.Input, asked: example_gen_pb2.Input, base: str, newest: int, window: int
) -> None:
    """Adds the spans of the window before the newest to the resolved input config."""
    processor = input_processor.FileBasedInputProcessor(base, asked.splits)
    for span in range(newest - 1, max(newest - window, -1), -1):
        pattern = processor.get_pattern_for_span_version(asked.splits[0].pattern, span, None)
        if _match(base, pattern):
            found.splits.add(name=f"span_{span}", pattern=pattern)


def _fingerprint(found: example_gen_pb2.Input, settings: _Settings, input_base: str, pattern_before: str | None) -> str:
    """Tells the contents of all files that are read, and their names below their folders; not where the folders are.

    Args:
        found: The patterns of the spans that are read.
        settings: Name the other folders.
        input_base: Where the labelled files are.
        pattern_before: Of the files of the span before the newest, which is compared with; None if there is none.
    """
    patterns = [(split.name, input_base, split.pattern) for split in found.splits]
    if pattern_before is not None and pattern_before not in [split.pattern for split in found.splits]:
        patterns.append(("before", input_base, pattern_before))
    for name, folder in ((TEST_SPLIT, settings.test_base), (CORPUS_SPLIT, settings.corpus_base)):
        if folder is not None:
            patterns.append((name, locate(folder), "*"))
    parts = []
    for name, folder, pattern in patterns:
        files = [(path.removeprefix(os.path.join(folder, "")), path) for path in _match(folder, pattern)]
        contents = hash_names((below, _content(path)) for below, path in files)
        parts.append(f"split:{name},num_files:{len(files)},sha256:{contents}")
    return ";".join(parts)


def _content(path: str) -> str:
    """The hash of a file's content; of an object in a bucket, the checksum that its store keeps."""
    try:
        if "://" not in path:
            return hash_file(path)
        return f"{FileSystems.checksum(path)} {FileSystems.match([path])[0].metadata_list[0].size_in_bytes}"
    except OSError as error:
        raise InputError(f"{INPUT_BASE}: {path} cannot be read: {error}; mend it, or take it away") from error


class CsvExampleGen(FileBasedExampleGen):
    """Turns CSV files into the splits of an `Examples` artifact.

    TFX's driver finds the newest span and version where the pattern has `{SPAN}` (or `{YYYY}`, `{MM}` and `{DD}`) and
    `{VERSION}`. The files of all folders are fingerprinted, so that the same files are not ingested twice. Files named
    `*.gz` are decompressed on the way; files whose name starts with `.` or `_` are left out.

    Output `examples`: gzipped TFRecords of `tf.train.Example` with the features `text`, `label` (the canonical name)
    and, where the format has pairs, `text_pair`: each one bytes value. A split keeps the order of files and
    rows. Beside the splits lie `ingest.json` and `rejected.csv`; the artifact's custom properties `read`, `used` and
    `rejected` say how many labelled rows were. Of numbered spans, `ingest.json` also says how far the newest has
    drifted from the one before it, which is read for that where the window does not hold it.

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
        csv_format: The columns, labels, delimiter and encoding.
        split: Name of a split -> its share, in parts; by hash of the text (see `split_of`).
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
        corpus_base: Folder of unlabelled text: files named `*.txt` or `*.txt.gz` hold a text to a line, all others are
            CSV, of which the text column alone is wanted. None (default): there is none.

    Raises:
        InputError: When run: no file matches, one cannot be read, a bad row or too many of them, texts with several
            labels where these are to stop it, an empty split.

    Example:
        >>> labels = ("good", "bad")
        >>> example_gen = CsvExampleGen("data", "*.csv", CsvFormat("text", "label", labels), {"train": 8, "eval": 2})
        >>> example_gen.outputs["examples"].type_name
        'Examples'
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)
    DRIVER_CLASS = Driver

    def __init__(
        self,
        input_base: str,
        pattern: str,
        csv_format: CsvFormat,
        split: Mapping[str, int],
        on_bad_row: Literal["fail", "quarantine"] = "fail",
        max_bad_fraction: float = 0.01,
        *,
        on_duplicate: Literal["keep", "drop"] = "keep",
        on_conflict: Literal["keep", "drop", "fail"] = "keep",
        test_base: str | None = None,
        corpus_base: str | None = None,
        window: int = 1,
    ):
        values = {
            "csv_format": csv_format.to_dict(),
            "on_bad_row": on_bad_row,
            "max_bad_fraction": max_bad_fraction,
            "on_duplicate": on_duplicate,
            "on_conflict": on_conflict,
            "test_base": test_base,
            "corpus_base": corpus_base,
            "window": window,
            "pattern": pattern,
        }
        # One string, because the parts of a Struct have no fixed order, and TFX's cache compares the bytes.
        settings = struct_pb2.Struct()
        settings[_SETTINGS_KEY] = json.dumps(values, sort_keys=True)
        custom_config = example_gen_pb2.CustomConfig()
        custom_config.custom_config.Pack(settings)
        splits = [example_gen_pb2.SplitConfig.Split(name=name, hash_buckets=share) for name, share in split.items()]
        super().__init__(
            input_base=input_base,
            input_config=utils.make_default_input_config(pattern),
            output_config=example_gen_pb2.Output(split_config=example_gen_pb2.SplitConfig(splits=splits)),
            custom_config=custom_config,
        )


def _find_span_before(input_base: str, pattern: str, span: int) -> tuple[int, str | None]:
    """Returns the number of the span before one, and the pattern of its files; None if there is none, or no spans."""
    if not any(marker in pattern for marker in ("{SPAN", "{YYYY}")):
        return span, None
    for number in range(span - 1, max(span - 1 - _LONGEST_GAP, -1), -1):
        only = range_config_pb2.RangeConfig(
            static_range=range_config_pb2.StaticRange(start_span_number=number, end_span_number=number)
        )
        split = example_gen_pb2.Input.Split(name="before", pattern=pattern)
        # If there is no such span, ValueError.
        with contextlib.suppress(ValueError), plain_path(input_base) as plain:
            # It also puts the numbers of the span and its newest version into the pattern.
            utils.calculate_splits_fingerprint_span_and_version(plain, [split], only)
            return number, split.pattern
    return span, None


def _find_files(input_base: str, patterns: Sequence[str], first_number: int = 0) -> list[File]:
    """Returns the labelled files, sorted within each pattern, each named by its path below the folder."""
    prefix = os.path.join(input_base, "")
    paths = [path for pattern in patterns for path in _match(input_base, pattern)]
    return [(number, path, path.removeprefix(prefix)) for number, path in enumerate(paths, first_number)]


def _find_other_files(folder: str | None, key: str, first_number: int) -> list[File]:
    """Returns the files of another folder, sorted, each named by its whole path: its name may be in both."""
    if folder is None:
        return []
    folder = locate(folder)
    files = [(number, path, path) for number, path in enumerate(_match(folder, "*"), first_number)]
    if not files:
        raise InputError(f"{key}: no file is in {folder}; set it to a folder of files, or to null")
    return files


def _match(folder: str, pattern: str) -> list[str]:
    if "://" not in folder:
        return match_files(folder, pattern)
    paths = sorted(
        found.path for found in FileSystems.match([os.path.join(glob.escape(folder), pattern)])[0].metadata_list
    )
    return [path for path in paths if not os.path.basename(path).startswith((".", "_"))]


def _ingest(
    pipeline: beam.Pipeline,
    settings: _Settings,
    files: list[File],
    test_files: list[File],
    corpus_files: list[File],
    split_uris: dict[str, str],
    parts_uri: str,
) -> None:
    """Adds to the pipeline the reading of all files: first of all labelled ones, then what to do with their rows."""
    common = {"parts_uri": parts_uri, "stop_at_bad_row": settings.on_bad_row == "fail"}
    labelled = {"fmt": settings.csv_format, **common}
    sources = [("Labelled", files, INPUT_BASE), *([("Test", test_files, TEST_BASE)] if test_files else [])]
    shared = {name: _shared_out(pipeline, name, found) for name, found, _ in sources}
    scanned = [
        shared[name] | f"Scan{name}" >> beam.Map(scan_file, source=source, **labelled) for name, _, source in sources
    ]
    # Side inputs, because Beam has them whole before it goes on.
    planned = beam.pvalue.AsSingleton(
        pipeline
        | "Once" >> beam.Create([parts_uri])
        | "Plan"
        >> beam.Map(
            plan_files,
            beam.pvalue.AsList(scanned | "Scanned" >> beam.Flatten()),
            files=files,
            test_files=test_files,
            labels=settings.csv_format.labels,
            split=settings.split,
            held_out_splits=_MEASURING_SPLITS,
            drop_duplicates=settings.on_duplicate == "drop",
            drop_conflicts=settings.on_conflict == "drop",
        )
    )
    for name, _, source in sources:
        _ = shared[name] | f"Ingest{name}" >> beam.Map(
            ingest_file, planned, splits=settings.labelled_splits, split_uris=split_uris, source=source, **labelled
        )
    if corpus_files:
        _ = _shared_out(pipeline, "Corpus", corpus_files) | "IngestCorpus" >> beam.Map(
            ingest_corpus_file,
            planned,
            fmt=settings.csv_format.unlabelled(),
            split=CORPUS_SPLIT,
            split_uris=split_uris,
            source=CORPUS_BASE,
            pairs=settings.csv_format.text_pair_column is not None,
            **common,
        )


def _shared_out(pipeline: beam.Pipeline, name: str, files: list[File]) -> beam.PCollection:
    return pipeline | f"{name}Files" >> beam.Create(files) | f"ShareOut{name}" >> beam.Reshuffle()


def _add_up(parts_uri: str, files: list[File]) -> Tally:
    whole = Tally()
    for number, _, _ in files:
        with fileio.open(tally_part(parts_uri, number)) as part:
            whole.add(Tally.from_json(part.read()))
    return whole


def _drift(labels: Sequence[str], span_before: int, before: Tally, newest: Tally) -> Drift | str:
    """Returns how the newest span differs from the one before, or why that cannot be told."""
    if before.error:
        return f"span {span_before}, the one before, cannot be read: {before.error}"
    if not before.profile.rows:
        return f"span {span_before}, the one before, has no row that can be used"
    return measure_drift(labels, span_before, before.profile, newest.profile)


def _judge_files(*tallies: Tally) -> None:
    """Raises InputError where a file cannot be read."""
    for tally in tallies:
        if tally.error:
            raise InputError(tally.error)
        if tally.read != tally.used + tally.rejected:
            raise RuntimeError(f"{tally.read} rows were read, but {tally.used} used and {tally.rejected} rejected")


def _judge_rows(tally: Tally, settings: _Settings) -> None:
    """Raises InputError where there are more bad rows than may be."""
    bad = tally.bad
    if bad and settings.on_bad_row == "fail":
        raise InputError(
            f"data.on_bad_row: {next(iter(tally.first.values()))}; mend the row, or set data.on_bad_row to quarantine"
        )
    if bad.total() > settings.max_bad_fraction * tally.read:
        worst = "; ".join(
            f"{count:,} x {kind}, as {tally.first[kind]}" for kind, count in bad.most_common(_REASONS_SHOWN)
        )
        raise InputError(
            f"data.max_bad_fraction: {bad.total():,} of {tally.read:,} rows ({bad.total() / tally.read:.2%}) "
            f"cannot be used, and {settings.max_bad_fraction:.2%} may be: {worst}; mend the rows or raise the bound"
        )


def _judge_repeats(repeats: Repeats, settings: _Settings) -> None:
    """Raises InputError where texts have several labels and that is to stop the run."""
    if repeats.conflicting_texts and settings.on_conflict == "fail":
        raise InputError(f"data.on_conflict: {repeats.in_words()[0]}; correct the labels, or set it to drop or keep")


def _notes(tally: Tally, corpus: Tally, repeats: Repeats) -> list[str]:
    """Returns what people should know of the data, a sentence each."""
    notes = repeats.in_words()
    if files := [*tally.ordinary_quotes, *corpus.ordinary_quotes]:
        more = f" and {len(files) - 1:,} more files" if len(files) > 1 else ""
        notes.append(f"double quotes are characters like any other in {files[0]}{more}, for else they join rows")
    return notes


def _judge_splits(tally: Tally, corpus: Tally, settings: _Settings) -> None:
    """Raises InputError where a split is empty."""
    if settings.test_base is not None and not tally.examples.get(TEST_SPLIT):
        raise InputError(f"{TEST_BASE}: none of its rows can be used; mend them, or set it to null")
    if settings.corpus_base is not None and not corpus.used:
        also = corpus.reasons[IN_HELD_OUT_SPLITS]
        aside = f" ({also:,} are in {HELD_OUT_SPLITS} too)" if also else ""
        raise InputError(f"{CORPUS_BASE}: none of its texts can be used{aside}; mend them, or set it to null")
    for split in settings.split:
        if not tally.examples.get(split):
            usable = sum(tally.examples.get(name, 0) for name in settings.split)
            also = tally.reasons[IN_TEST_BASE]
            aside = f" ({also:,} more are in {TEST_BASE} too)" if also else ""
            raise InputError(
                f"data.split: none of the {usable:,} usable rows{aside} fell into {split!r}; "
                "add rows or give it a larger share"
            )


def _write_summary(
    tally: Tally, corpus: Tally, repeats: Repeats, drift: Drift | str | None, settings: _Settings, output_uri: str
) -> None:
    labels = {
        split: {label: tally.labels[split][label] for label in settings.csv_format.labels}
        for split in settings.labelled_splits
    }
    notes = _notes(tally, corpus, repeats)
    for note in notes:
        log.warning("data: %s", note)
    ingest = Ingest(
        read=tally.read,
        used=tally.used,
        rejected=tally.rejected,
        examples={split: sum(counts.values()) for split, counts in labels.items()},
        labels=labels,
        reasons=dict(tally.reasons.most_common()),
        lines=LineAccount(**tally.line_account()),
        ordinary_quotes=(*tally.ordinary_quotes, *corpus.ordinary_quotes),
        repeats=repeats,
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


def _merge_rejected(parts_uri: str, part_count: int, path: str) -> None:
    with fileio.open(path, "wb") as whole:
        whole.write(b"file,line,reason,fields\n")
        for number in range(part_count):
            with fileio.open(rejected_part(parts_uri, number), "rb") as part:
                shutil.copyfileobj(part, whole)

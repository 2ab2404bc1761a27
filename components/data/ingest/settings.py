"""What ExampleGen's executor and its workers have to know, to and from TFX's execution properties."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import struct_pb2
from tfx.proto import example_gen_pb2
from tfx.types import standard_component_specs as specs
from tfx.utils import proto_utils

from fullbake.components.data.label_place import LabelPlace
from fullbake.components.data.row_format import RowFormat
from fullbake.contract.names import CORPUS_SPLIT, TEST_SPLIT
from fullbake.trainer.locations import locate

_KEY = "settings"


@dataclass(frozen=True)
class IngestSettings:
    """The settings of a `CsvExampleGen`, which says what they mean.

    Attributes:
        csv_format: Its `row_format`; the name is part of TFX's cache keys.
        split: Name of a split -> its share, in parts.
        on_bad_row: As of `CsvExampleGen`, and so the others.
        max_bad_fraction: Likewise.
        on_duplicate: Likewise.
        on_conflict: Likewise.
        test_base: Likewise.
        corpus_base: Likewise.
        window: Likewise.
        pattern: Likewise.
        label_from: Likewise.
        labels_file: Likewise.
        test_labels_file: Likewise.
        needed_test_rows: Likewise.
    """

    csv_format: RowFormat
    split: dict[str, int]
    on_bad_row: str
    max_bad_fraction: float
    on_duplicate: str
    on_conflict: str
    test_base: str | None
    corpus_base: str | None
    window: int
    pattern: str
    needed_test_rows: dict[str, int]
    label_from: str
    labels_file: str | None
    test_labels_file: str | None

    @property
    def place(self) -> LabelPlace:
        """Where the labels of the labelled files are."""
        return LabelPlace(self.label_from, self.labels_file)

    @property
    def test_place(self) -> LabelPlace:
        """Where those of the test folder's files are."""
        return LabelPlace(self.label_from, self.test_labels_file)

    @property
    def labelled_splits(self) -> list[str]:
        """The splits made by hash, and the test folder's."""
        return [*self.split, *([] if self.test_base is None else [TEST_SPLIT])]

    @property
    def split_names(self) -> list[str]:
        """All splits; the corpus's is the last."""
        return [*self.labelled_splits, *([] if self.corpus_base is None else [CORPUS_SPLIT])]

    def folders(self, input_base: str) -> list[str]:
        """Returns where all folders are."""
        return [input_base, *(locate(folder) for folder in (self.test_base, self.corpus_base) if folder is not None)]

    def custom_config(self) -> example_gen_pb2.CustomConfig:
        """Returns all but the split, as TFX's components take it."""
        values = {key: value for key, value in vars(self).items() if key != "split"}
        values["csv_format"] = self.csv_format.to_dict()
        # One string, because the parts of a Struct have no fixed order, and TFX's cache compares the bytes.
        settings = struct_pb2.Struct()
        settings[_KEY] = json.dumps(values, sort_keys=True)
        custom_config = example_gen_pb2.CustomConfig()
        custom_config.custom_config.Pack(settings)
        return custom_config

    def output_config(self) -> example_gen_pb2.Output:
        """Returns the split, as TFX's components take it."""
        splits = [
            example_gen_pb2.SplitConfig.Split(name=name, hash_buckets=share) for name, share in self.split.items()
        ]
        return example_gen_pb2.Output(split_config=example_gen_pb2.SplitConfig(splits=splits))

    @classmethod
    def from_exec_properties(cls, exec_properties: Mapping[str, Any]) -> "IngestSettings":
        """Returns the settings of which a component's properties were made."""
        custom_config = example_gen_pb2.CustomConfig()
        proto_utils.json_to_proto(exec_properties[specs.CUSTOM_CONFIG_KEY], custom_config)
        packed = struct_pb2.Struct()
        custom_config.custom_config.Unpack(packed)
        values = json.loads(packed[_KEY])
        output_config = example_gen_pb2.Output()
        proto_utils.json_to_proto(exec_properties[specs.OUTPUT_CONFIG_KEY], output_config)
        split = {part.name: part.hash_buckets for part in output_config.split_config.splits}
        return cls(**{**values, "csv_format": RowFormat.from_dict(values["csv_format"])}, split=split)

"""Arrow files whose rows are labelled: streams, as Hugging Face's datasets keep them, and Feather."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fullbake.components.data.data_files import opened
from fullbake.components.data.readers.arrow import HUGGING_FACE, ArrowFile
from fullbake.pipeline.prediction.column_names import EXPLANATION
from fullbake.pipeline.prediction.parquet_table import ColumnsTable, writing_columns
from fullbake.pipeline.prediction.table import Table, TextOptions, Write

_FEATHER = ".feather"


@contextmanager
def open_arrow_table(source: Path, options: TextOptions) -> Iterator[ColumnsTable]:
    """Opens a file whose rows are to be labelled.

    Args:
        source: The file.
        options: Of no matter.

    Raises:
        WrongKindError: It is no Arrow, or damaged.
    """
    with opened(str(source)) as stream:
        file = ArrowFile(stream, source.name)
        size = source.stat().st_size
        yield ColumnsTable(file.schema, file.batches, source, file.class_names, lambda rows: stream.tell() / size)


def check_arrow(source: Path, options: TextOptions) -> None:
    """Looks whether a file has the start and the end of an Arrow file.

    Raises:
        WrongKindError: It has not.
    """
    with open_arrow_table(source, options):
        pass


@contextmanager
def write_arrow(target: Path, table: Table, columns: list[str], options: TextOptions) -> Iterator[Write]:
    """Opens a file for labelled rows, as `writing_columns`: of Feather, or a stream as datasets reads it."""
    import pyarrow as pa

    open_writer = pa.ipc.new_file if target.name.endswith(_FEATHER) else pa.ipc.new_stream
    with writing_columns(target, table, columns, open_writer, _with_features) as write:
        yield write


def _with_features(metadata: Any, columns: list[str], added: list[str]) -> Any:
    """Returns a schema's metadata with what datasets keeps of the columns, if it is of datasets, for the added too."""
    try:
        about = json.loads((metadata or {})[HUGGING_FACE])
        features = about["info"]["features"]
        kept = dict(zip(columns, features.values(), strict=True))
    except (KeyError, ValueError, TypeError, AttributeError):
        return metadata
    types = dict.fromkeys(added[1:], "float32") | dict.fromkeys((added[0], EXPLANATION), "string")
    about["info"]["features"] = kept | {name: {"dtype": types[name], "_type": "Value"} for name in added}
    about.pop("fingerprint", None)  # of the rows as they were
    return {**metadata, HUGGING_FACE: json.dumps(about).encode()}

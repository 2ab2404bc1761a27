"""The spans before the newest: those of a window, and the one from which drift is measured."""

import contextlib

from tfx.components.example_gen import input_processor, utils
from tfx.proto import example_gen_pb2, range_config_pb2

from fullbake.components.data.data_files import match_files
from fullbake.components.data.spans import has_spans
from fullbake.components.serving.plain_path import plain_path

_LONGEST_GAP = 31  # between the numbers of a span and the one before it: of daily spans, a month; each costs a look


def add_older_spans(
    found: example_gen_pb2.Input, asked: example_gen_pb2.Input, folder: str, newest: int, window: int
) -> None:
    """Adds the spans of the window before the newest to the resolved input config.

    Args:
        found: The input config, which has the newest span.
        asked: The input config before a span was looked for.
        folder: Where the patterns begin.
        newest: The number of the newest span.
        window: How many spans are read. One that is not there is left out.
    """
    processor = input_processor.FileBasedInputProcessor(folder, asked.splits)
    for span in range(newest - 1, max(newest - window, -1), -1):
        pattern = processor.get_pattern_for_span_version(asked.splits[0].pattern, span, None)
        if match_files(folder, pattern):
            found.splits.add(name=f"span_{span}", pattern=pattern)


def find_span_before(folder: str, pattern: str, span: int) -> tuple[int, str | None]:
    """Returns the number of the span before one, and the pattern of its files; None if there is none, or no spans."""
    if not has_spans(pattern):
        return span, None
    for number in range(span - 1, max(span - 1 - _LONGEST_GAP, -1), -1):
        only = range_config_pb2.RangeConfig(
            static_range=range_config_pb2.StaticRange(start_span_number=number, end_span_number=number)
        )
        split = example_gen_pb2.Input.Split(name="before", pattern=pattern)
        # If there is no such span, ValueError.
        with contextlib.suppress(ValueError), plain_path(folder) as plain:
            # It also puts the numbers of the span and its newest version into the pattern.
            utils.calculate_splits_fingerprint_span_and_version(plain, [split], only)
            return number, split.pattern
    return span, None

"""TFX's markers in a pattern of files: `{SPAN}`, `{VERSION}` and dates. Imports nothing heavy."""

import fnmatch
import glob
import itertools
import os
import re
from collections.abc import Sequence

SPAN, YEAR, VERSION = "{SPAN", "{YYYY}", "{VERSION"  # of those with a width, such as {SPAN:4}, the start

_MARKER = re.compile(r"\{[A-Z]+(:\d+)?\}")


def has_spans(pattern: str) -> bool:
    """Says whether a pattern tells spans apart, by number or by date."""
    return SPAN in pattern or YEAR in pattern


def has_spans_alone(pattern: str) -> bool:
    """Says whether a pattern numbers spans and nothing else, as a window of several takes it."""
    return SPAN in pattern and VERSION not in pattern


def of_any_span(pattern: str) -> str:
    """Returns the glob for the files of every span and version."""
    return _MARKER.sub("*", pattern)


def of_newest_spans(files: Sequence[str], folder: str, pattern: str, window: int) -> list[str]:
    """Returns the files of the newest spans, of each its newest version; all where the pattern has no markers.

    Args:
        files: What `of_any_span` matched.
        folder: Where the pattern begins.
        pattern: The pattern.
        window: How many spans are wanted: the newest, and those with the numbers before it.
    """
    whole = os.path.join(glob.escape(folder), pattern)
    # By name, for fnmatch has groups of its own.
    markers = (f"(?P<marker{number}>\\d+)" for number in itertools.count())
    numbered = re.compile(re.sub("MARKER", lambda _: next(markers), fnmatch.translate(_MARKER.sub("MARKER", whole))))
    names = [name for name in numbered.groupindex if name.startswith("marker")]
    found = {name: match for name in files if names and (match := numbered.match(name))}
    numbers = {name: tuple(int(match[marker]) for marker in names) for name, match in found.items()}
    if not numbers:
        return list(files)
    newest = max(numbers.values())
    if window > 1:
        return [name for name in files if name in numbers and numbers[name][0] > newest[0] - window]
    return [name for name in files if numbers.get(name) == newest]

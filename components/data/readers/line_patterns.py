"""Well-known ways to write a label and its text on one line, where no delimiter alone parts them."""

import re
from collections import Counter
from dataclasses import replace

from fullbake.components.data.readers.csv_sample import Sample
from fullbake.components.data.row_format import RowFormat

# With {label} and {text} for the groups: fastText's (its supervised tutorial), the question classes of TREC
# (Li and Roth 2002: coarse label, colon, fine label), and a label behind the last @ (Financial PhraseBank, Malo 2014).
_PATTERNS = (
    r"__label__(?P<{label}>\S+)\s+(?P<{text}>(?!__label__).*)",
    r"(?P<{label}>[^\s:]+):\S+\s+(?P<{text}>.*)",
    r"(?P<{text}>.*)@(?P<{label}>[^@]+)",
)
_FITTING = 0.95  # of the lines, for a pattern to be meant
_LINES_OF_A_LABEL = 2  # on average, at least; what stands before a colon by chance is seldom twice the same


def fits_pattern(sample: Sample, pattern: str) -> bool:
    """Says whether at least half of the lines of a file fit a pattern."""
    fits = [re.fullmatch(pattern, line) is not None for line in sample.lines()]
    return any(fits) and 2 * sum(fits) >= len(fits)


def find_pattern(sample: Sample, fmt: RowFormat) -> RowFormat | None:
    """Returns the format with the pattern that the lines of a file fit; None if there is none.

    Args:
        sample: The start of the file.
        fmt: Names the wanted columns; a name that can be no name of a group becomes `text` or `label`.
    """
    if not fmt.labelled or fmt.text_pair_column is not None:
        return None
    lines = sample.lines()
    names = {"text": fmt.text_column, "label": fmt.label_column}
    if not all(name.isidentifier() for name in names.values()) or len(set(names.values())) < len(names):
        names = {key: key for key in names}
    for template in _PATTERNS:
        pattern = template.format(**names)
        labels = Counter(fit[names["label"]].strip() for line in lines if (fit := re.fullmatch(pattern, line)))
        if labels.total() >= _FITTING * len(lines) and 1 < len(labels) <= labels.total() / _LINES_OF_A_LABEL:
            return replace(
                fmt,
                text_column=names["text"],
                label_column=names["label"],
                dialect=replace(fmt.dialect, line_pattern=pattern),
            )
    return None

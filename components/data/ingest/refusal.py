"""Why a row that can be used is not: no fault of the row."""

from collections.abc import Mapping
from typing import NamedTuple

from fullbake.components.data.rows import NOTHING_TO_LEARN, UNLISTED

IN_TEST_BASE = "also in {test_base}"
"""The kind, before `kind_in_words`, of a text kept out of training because the test folder has it."""

HELD_OUT_SPLITS = "the eval or test split"
"""What people are told a text of the corpus is in too, where one of these splits has it."""

IN_HELD_OUT_SPLITS = f"also in {HELD_OUT_SPLITS}"
"""The kind of a text of the corpus that is in one of them: what measures a model must not be learned before either."""

REPEATED = "repeats an earlier row"
"""The kind of a row of which an earlier one has the text and label, where duplicates are dropped."""

CONTRADICTED = "its text has other labels too"
"""The kind of a row of which another has the text and not the label, where conflicts are dropped."""

TOO_RARE = "class too small to split"
"""The kind of a row whose class has fewer texts than there are splits, where such classes are dropped."""

NOT_USED = (IN_TEST_BASE, IN_HELD_OUT_SPLITS, REPEATED, CONTRADICTED, UNLISTED, TOO_RARE, *NOTHING_TO_LEARN)
"""All of these: the rows are no bad rows."""


class Refusal(NamedTuple):
    """Why one row is not used.

    Attributes:
        kind: One of `NOT_USED`.
        reason: The same for people.
    """

    kind: str
    reason: str


def kind_in_words(kind: str, names: Mapping[str, str]) -> str:
    """Returns what people are told a kind of rejected row is; `names` says what settings are called."""
    return kind.format_map(names) if kind == IN_TEST_BASE else kind

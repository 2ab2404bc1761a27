"""Why a row that can be used is not: no fault of the row."""

from typing import NamedTuple

from fullbake.components.data.data_folders import TEST_BASE

IN_TEST_BASE = f"also in {TEST_BASE}"
"""The kind of a text kept out of training because the test folder has it."""

HELD_OUT_SPLITS = "the eval or test split"
"""What people are told a text of the corpus is in too, where one of these splits has it."""

IN_HELD_OUT_SPLITS = f"also in {HELD_OUT_SPLITS}"
"""The kind of a text of the corpus that is in one of them: what measures a model must not be learned before either."""

REPEATED = "repeats an earlier row"
"""The kind of a row of which an earlier one has the text and label, where `data.on_duplicate` is drop."""

CONTRADICTED = "its text has other labels too"
"""The kind of a row of which another has the text and not the label, where `data.on_conflict` is drop."""

KINDS = (IN_TEST_BASE, IN_HELD_OUT_SPLITS, REPEATED, CONTRADICTED)


class Refusal(NamedTuple):
    """Why one row is not used.

    Attributes:
        kind: One of `KINDS`.
        reason: The same for people.
    """

    kind: str
    reason: str

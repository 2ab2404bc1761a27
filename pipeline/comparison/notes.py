"""What a reader must know to read a comparison rightly."""

from __future__ import annotations

from fullbake.pipeline.comparison.bootstrap import RESAMPLES
from fullbake.pipeline.comparison.comparison import Comparison
from fullbake.pipeline.comparison.measures import MANY_LABELS


def notes_on(comparison: Comparison) -> list[str]:
    """Returns the notes below the table and the tests, a sentence or two each."""
    if any(len(result.seeds) > 1 for result in comparison.results):
        notes = ["± beside a mean is the standard deviation over seeds: the luck of training."]
    else:
        notes = ["One seed each: how much the luck of training matters is not known; more seeds would tell."]
    if len(comparison.labels) > MANY_LABELS:
        notes.append(
            f"Of {len(comparison.labels)} classes the {len(comparison.shown_labels)} whose recall differs most between "
            "approaches are shown; chosen for that, they exaggerate the differences."
        )
    if comparison.tests:
        notes.append(
            f"The intervals and p come from a paired bootstrap over the {len(comparison.truth):,} test rows "
            f"({RESAMPLES:,} resamples; Efron & Tibshirani 1993, Koehn 2004). They cover the luck of which rows "
            "are in the test set, and take the trained models as they are."
        )
    if any(test.margin is not None for test in comparison.tests):
        notes += [
            "“More than luck” needs more: the difference must also exceed the ± beside it, Student's 95% quantile "
            "times the standard error of test rows and seeds together (Welch 1947). So the same training with "
            "other seeds is likely to show it too; the fewer the seeds, the greater a difference this takes.",
            f"{len(comparison.tests)} comparisons are made, each at 5%: of comparisons between equal approaches up to "
            "about 1 in 20 is called more than luck all the same.",
        ]
    if any(test.margin is None for test in comparison.tests):
        notes.append(
            "Where an approach has one seed, nothing is called more than luck: two trained models may differ on "
            "any test rows because of their seeds alone, and only more seeds can tell of the approaches."
        )
    return notes

"""Classes too small for the split or for their bounds: all of them in one line, before anything is trained."""

import pytest

from fullbake.components.evaluation.class_sizes import judge_classes
from fullbake.components.evaluation.gate import GateSpec, needed_test_rows
from fullbake.contract.errors import InputError
from fullbake.contract.results.ingest import Classes, Ingest

ENOUGH = (90, 80, 5, 5)


def refused(rows, gate=None, left_out=(), **bounds):
    """Returns what is said of classes with so many (texts, train rows, eval rows, test rows)."""
    labels = {
        split: {label: counts[place] for label, counts in rows.items()}
        for place, split in enumerate(("train", "eval", "test"), 1)
    }
    splits = bounds.pop("splits", 3)
    classes = Classes(splits=splits, texts={label: counts[0] for label, counts in rows.items()}, left_out=left_out)
    with pytest.raises(InputError) as error:
        judge_classes(Ingest(read=1, used=1, labels=labels, classes=classes), GateSpec(tuple(rows), **bounds))
    message = str(error.value)
    assert "\n" not in message
    return message


def test_classes_with_fewer_texts_than_splits_are_all_named_or_counted():
    rows = {"fine": ENOUGH, "{odd}": (2, 1, 1, 0), **{f"class {number}": (1, 1, 0, 0) for number in range(40)}}
    assert refused(rows) == (
        "labels: '{odd}' (2 texts, none in test), 'class 0' (1 text, none in eval and test), "
        "'class 1' (1 text, none in eval and test), 'class 2' (1 text, none in eval and test), "
        "'class 3' (1 text, none in eval and test) and 36 more: fewer texts than the 3 splits they are for; "
        "add rows, or set rare_classes to drop or other"
    )
    assert refused({"fine": ENOUGH, "other": (2, 1, 1, 0)}).endswith("set rare_classes to drop")


def test_what_else_keeps_a_class_out_of_a_split_has_its_own_remedy():
    rows = {"fine": ENOUGH, "rude": ENOUGH, "odd": (9, 8, 1, 0)}
    assert (
        refused(rows, splits=2) == "labels: 'odd' (9 texts, none in test): no rows in test_base; add rows of them there"
    )
    assert refused(rows) == (
        "labels: 'odd' (9 texts, none in test): their texts are held out for other labels that they have too; "
        "add rows, or set on_conflict to drop"
    )


def test_with_a_confidence_the_classes_whose_bounds_no_model_could_meet_are_in_the_same_line():
    rows = {"fine": ENOUGH, "rude": (300, 270, 15, 15), "odd": (2, 2, 0, 0)}
    bounds = {"min_recall": {"fine": 0.6, "rude": 0.8}, "min_precision": {"rude": 0.5}, "confidence": 0.95}
    too_few = (
        "min_recall: too few test rows to show with 0.95 confidence that a bound is met, even if all are found, so no "
        "model can be pushed (confidence): 'fine' has 5 where 0.6 takes 6, 'rude' has 15 where 0.8 takes 16; add rows, "
        "give the test split a larger share, or lower the bound or the confidence"
    )
    assert refused(rows, **bounds) == (
        "labels: 'odd' (2 texts, none in eval and test): fewer texts than the 3 splits they are for; add rows, or set "
        f"rare_classes to drop or other; {too_few}"
    )
    assert refused({"fine": ENOUGH, "rude": (300, 270, 15, 15)}, **bounds) == too_few
    assert needed_test_rows(GateSpec(("fine", "rude"), **bounds)) == {"fine": 6, "rude": 16}
    assert needed_test_rows(GateSpec(("fine", "rude"), **{**bounds, "confidence": None})) == {}


@pytest.mark.parametrize("key", ["min_recall", "min_precision"])
def test_a_class_that_is_left_out_may_have_no_bound(key):
    rows = {"fine": ENOUGH, "rude": ENOUGH, "odd": (0, 0, 0, 0), "old": (0, 0, 0, 0)}
    assert refused(rows, left_out=("odd", "old"), **{key: {"fine": 0.5, "old": 0.1}}) == (
        f"{key}: 'old': rare_classes leaves no row to hold a bound against, for there are too few texts to split; take "
        "the bound out, or add rows"
    )


def test_one_class_is_none():
    rows = {"fine": ENOUGH, "odd": (0, 0, 0, 0)}
    assert refused(rows, left_out=("odd",)) == (
        "labels: of 2 classes 'fine' alone has enough texts to split, and two are needed; add rows"
    )
    assert "of 2 classes none has enough" in refused(dict.fromkeys(["a", "b"], (0, 0, 0, 0)), left_out=("a", "b"))

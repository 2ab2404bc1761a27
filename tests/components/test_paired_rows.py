from fullbake.components.evaluation.judged_texts import TextRow
from fullbake.components.evaluation.paired_rows import CountPairs

LABELS = ["fine", "rude"]


def counted(multi_label: bool, *rows: tuple[tuple[str, ...], ...]):
    """Counts rows of what is true, masked, decided and decided in production."""
    count = CountPairs(LABELS, multi_label)
    found = count.create_accumulator()
    for truth, masked, decided, production in rows:
        found = count.add_input(found, TextRow({}, truth, masked, decided, (0.5, 0.5), production))
    return count.extract_output(count.merge_accumulators([found]))


def test_a_row_is_fixed_or_broken_by_whether_each_model_decides_what_is_true():
    fine, rude = ("fine",), ("rude",)
    pairs = counted(
        False, (fine, (), fine, rude), (fine, (), rude, fine), (rude, (), rude, rude), (rude, (), fine, fine)
    )
    assert (pairs.rows.both, pairs.rows.fixed, pairs.rows.broken, pairs.rows.neither) == (1, 1, 1, 1)
    assert (pairs.labels["fine"].fixed, pairs.labels["rude"].neither) == (1, 1)


def test_a_label_of_which_nobody_knows_makes_no_row_wrong():
    pairs = counted(True, (("fine",), ("rude",), ("fine", "rude"), ()))
    assert (pairs.rows.fixed, pairs.rows.both, pairs.labels["rude"].fixed) == (1, 0, 0)

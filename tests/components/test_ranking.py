"""Exact areas of scores with ties, the rows they are made of, and the means over identities."""

import pickle

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from fullbake.components.evaluation.bias import bias_aucs, mean_bias_aucs
from fullbake.components.evaluation.judged_rows import JudgedRows
from fullbake.components.evaluation.label_measures import measure_labels
from fullbake.components.evaluation.ranking import average_precision, mean_of_known, roc_auc
from fullbake.components.evaluation.slice_measures import measure_slices
from fullbake.contract.results.slices import BiasAucs


@pytest.mark.parametrize("digits", [1, 2, 9], ids="{} digits".format)
@pytest.mark.parametrize("seed", range(5))
def test_areas_are_scikit_learns_whatever_is_tied(seed: int, digits: int):
    generator = np.random.default_rng(seed)
    scores = generator.random(300).round(digits).astype(np.float32)
    truth = generator.random(300) < 0.2 + 0.5 * scores
    assert roc_auc(scores, truth) == pytest.approx(roc_auc_score(truth, scores), abs=1e-12)
    assert average_precision(scores, truth) == pytest.approx(average_precision_score(truth, scores), abs=1e-12)


def test_a_tie_counts_half_and_a_side_without_rows_has_no_area():
    scores, truth = np.array([0.5, 0.5, 0.9], np.float32), np.array([True, False, True])
    assert roc_auc(scores, truth) == 0.75
    assert roc_auc(scores, ~truth) == 0.25
    for all_alike in (np.ones(3, bool), np.zeros(3, bool)):
        assert roc_auc(scores, all_alike) is None
    assert average_precision(scores, np.zeros(3, bool)) is None
    assert average_precision(scores, np.ones(3, bool)) == 1.0
    assert roc_auc(scores[:0], truth[:0]) is None
    assert mean_of_known([0.5, None, 1.0]) == 0.75
    assert mean_of_known([None]) is None


def test_bias_areas_compare_the_subgroup_with_the_background_as_the_paper_has_it():
    generator = np.random.default_rng(3)
    scores, truth, subgroup = generator.random(200), generator.random(200) < 0.4, generator.random(200) < 0.3

    def pairs(positives, negatives):
        ahead = scores[positives][:, None] - scores[negatives][None, :]
        return float(((ahead > 0) + 0.5 * (ahead == 0)).mean())

    assert bias_aucs(scores, truth, subgroup).to_dict() == pytest.approx(
        {
            "subgroup": pairs(truth & subgroup, ~truth & subgroup),
            "bpsn": pairs(truth & ~subgroup, ~truth & subgroup),
            "bnsp": pairs(truth & subgroup, ~truth & ~subgroup),
        }
    )


def test_the_mean_over_identities_leans_on_the_worst_and_passes_over_those_without_a_value():
    areas = [BiasAucs(subgroup=0.9, bpsn=0.0, bnsp=None), BiasAucs(subgroup=0.6, bpsn=0.5, bnsp=None)]
    means = mean_bias_aucs([*areas, BiasAucs(subgroup=None, bpsn=None, bnsp=None)])
    assert means.subgroup == pytest.approx(((0.9**-5 + 0.6**-5) / 2) ** (-1 / 5))
    assert means.subgroup < 0.7 < 0.75
    assert (means.bpsn, means.bnsp) == (0.0, None)


def collected(rows, parts: int) -> JudgedRows:
    whole = JudgedRows(3)
    for part in range(parts):
        own = JudgedRows(3)
        for row in rows[part::parts]:
            own.append(*row)
        whole.extend(pickle.loads(pickle.dumps(own)))  # noqa: S301 - as Beam hands it on
    return whole


@pytest.mark.parametrize("parts", [1, 2, 7, 200])
def test_what_is_measured_is_the_same_however_the_rows_are_dealt_out(parts: int):
    generator = np.random.default_rng(8)
    rows = [
        (
            generator.random(3) < 0.4,
            generator.random(3) < 0.8,
            generator.random(3) < 0.5,
            generator.random(3).round(2).astype(np.float32),
            generator.permutation(["a=1", "a=2", "male"])[: generator.integers(4)].tolist(),
        )
        for _ in range(150)
    ]
    whole, dealt = collected(rows, 1), collected(rows, parts)
    for name, values in measure_labels(whole).items():
        np.testing.assert_allclose(measure_labels(dealt)[name], values, rtol=1e-12)
    labels = ["x", "y", "z"]
    assert measure_slices(dealt, labels, ["male"]) == measure_slices(whole, labels, ["male"])
    by_hand = [row for row in rows if "a=2" in row[4]]
    (found,) = (each for each in measure_slices(dealt, labels, ["male"]).slices if each.name == "a=2")
    assert found.rows == len(by_hand)
    for place, label in enumerate(labels):
        has = [row for row in by_hand if row[0][place] and row[1][place]]
        assert (found.labels[label].rows, found.labels[label].found) == (len(has), sum(row[2][place] for row in has))


def test_a_row_takes_five_bytes_a_label_and_one_without_scores():
    for with_scores, taken in ((True, 5), (False, 1)):
        rows = JudgedRows(4, with_scores=with_scores)
        rows.append(*(np.ones(4, bool),) * 3, np.ones(4, np.float32))
        assert len(rows._flags) + len(rows._scores) == taken * 4

"""The report of a multi-label model."""

import numpy as np
import pytest

from fullbake.components.report.page import render
from fullbake.components.report.sections.calibration import label_confidence
from fullbake.components.report.sections.classes import class_lines
from fullbake.contract.results.evaluation import LabelCounts
from tests.components.label_reports import LABELS, label_evaluation, label_report
from tests.components.reports import text_of
from tests.components.scored import random_rows


def test_the_page_says_of_how_many_texts_every_label_is_right_and_how_labels_are_ranked():
    report = label_report(min_recall={"toxic": 0.1})
    evaluation, page = report.evaluation, text_of(render(report))
    assert evaluation.known < evaluation.examples == 400
    share = f"{100 * evaluation.accuracy:.1f}%".replace(".0%", "%")
    assert (
        f"got every label right of {evaluation.exact} of them ({share} of the {evaluation.known} of which labels"
        in page
    )
    assert f"All labels right {share} {evaluation.exact} of {evaluation.known};" in page
    assert f"Mean ROC AUC {evaluation.mean_roc_auc:.3f}" in page


def test_recall_and_precision_are_of_the_rows_of_which_the_label_is_known():
    evaluation = label_evaluation()
    page = text_of(render(label_report()))
    for line in class_lines(evaluation):
        counts = evaluation.counts[line.label]
        assert (line.texts, line.found) == (counts.true_positive + counts.false_negative, counts.true_positive)
        assert line.decided == counts.true_positive + counts.false_positive
        assert f"found {line.found} of {line.texts} ·" in page
        assert f"right {line.found} of {line.decided} ·" in page


def test_there_is_no_confusion_matrix_but_what_was_missed_and_given_wrongly_the_most_first():
    report = label_report()
    page = render(report)
    assert "Confusion matrix" not in page
    counts = sorted(report.evaluation.counts.items(), key=lambda found: -wrong(found[1]))
    assert wrong(counts[0][1]) > wrong(counts[-1][1])
    rows = [" ".join(map(str, (label, *each.to_dict().values()))) for label, each in counts]
    assert " ".join(rows) in text_of(page)


def wrong(counts: LabelCounts) -> int:
    return counts.false_negative + counts.false_positive


def test_calibration_is_of_all_texts_and_labels_together():
    evaluation = label_evaluation()
    rows = random_rows(LABELS, 400, seed=4)
    pairs = [
        (row.scores[place], label in row.labels)
        for row in rows
        for place, label in enumerate(LABELS)
        if label not in row.masked
    ]
    sure = label_confidence(evaluation.scores)
    assert (sum(sure.count), sum(sure.correct)) == (len(pairs), sum(has for _, has in pairs))
    assert sum(sure.probability_sum) / len(pairs) == pytest.approx(np.mean([score for score, _ in pairs]), abs=6e-4)
    assert 'id="calibration"' in render(label_report())


def test_each_label_has_its_curve_with_its_exact_area_and_its_threshold():
    evaluation = label_evaluation()
    page = text_of(render(label_report()))
    for label in LABELS:
        assert f"{label} {evaluation.average_precision[label]:.3f} decided from 0.50" in page
        assert f"{evaluation.roc_auc[label]:.3f} {evaluation.average_precision[label]:.3f}" in page

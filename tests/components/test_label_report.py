"""The report of a multi-label model."""

import re

from fullbake.components.report.page import render
from fullbake.components.report.sections.classes import class_lines
from tests.components.label_reports import LABELS, label_evaluation, label_report
from tests.components.reports import text_of


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


def test_there_is_no_confusion_matrix_and_each_label_has_its_curve():
    page = render(label_report())
    assert "Confusion matrix" not in page
    assert re.findall(r">(\w+): area [\d.]+</li>", page) == list(LABELS)

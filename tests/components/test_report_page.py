"""The report page as a whole: safe, self-contained, the same each time."""

import re

import pytest

from fullbake.components.report.page import render
from fullbake.contract.results.mistakes import Mistakes
from tests.components.reports import (
    evaluation_of,
    other_parts,
    passing_report,
    refused_report,
    report_of,
    report_of_many_classes,
    tags_of,
)


@pytest.fixture(scope="module")
def passing():
    return passing_report()


@pytest.fixture(scope="module")
def refused():
    return refused_report()


@pytest.fixture(scope="module")
def many():
    return report_of_many_classes()


def test_names_and_texts_of_users_are_escaped():
    evil = '<script>alert("1")</script>'
    rows_of = {"plain": 40, evil: 40}
    bounds = [("recall", evil, 0.99)]
    evaluation = evaluation_of(rows_of, {"plain": 0.9, evil: 0.8}, bounds)
    parts = other_parts(rows_of)
    parts["ingest"]["reasons"] = {evil: 3}
    text = {"text": evil, "text_pair": evil, "truth": [evil], "decided": ["plain"], "label": evil, "probability": 0.1}
    text |= {"decided_probability": 0.9, "influences": [{"words": evil, "change": 0.4}]}
    mistakes = {"labels": [{"label": evil, "missed": True, "count": 1, "texts": [text]}], "fixed": 0, "broken": 1}
    mistakes["broken_texts"] = [text]
    report = report_of(evaluation, rows_of, ingest=parts["ingest"], config=evil, base=evil, versions={evil: evil})
    page = render(report.model_copy(update={"mistakes": Mistakes.from_dict(mistakes)}))
    assert "<script" not in page
    assert page.count("&lt;script&gt;") > render(report).count("&lt;script&gt;") + 8
    assert "&lt;script&gt;" in page
    many_rows = {f"{evil}{index}": 3 for index in range(15)}
    crowd = evaluation_of(many_rows, dict.fromkeys(many_rows, 0.7), bins=100)
    assert "<script" not in render(report_of(crowd, many_rows))


def test_the_page_asks_for_nothing_from_outside(passing, refused, many):
    for report in (passing, refused, many):
        page = render(report)
        addresses = re.findall(r'\b(?:src|href|data|action|srcset)="([^"]*)"', page)
        assert {address[0] for address in addresses} == {"#"}
        assert not tags_of(page) & {"script", "link", "img", "iframe", "object"}
        assert "url(" not in page
        assert "@import" not in page


def test_the_same_report_gives_the_same_bytes(many):
    assert render(many) == render(many)

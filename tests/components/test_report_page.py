"""The report page as a whole: safe, self-contained, the same each time, and a real browser's view of it."""

import json
import re
import shutil
import subprocess
from html import escape, unescape

import pytest

from fullbake.components.report.page import render
from fullbake.components.report.sections.verdict import headline
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

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium or google-chrome on PATH")


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
    text = {"text": evil, "text_pair": evil, "truth": [evil], "decided": ["plain"], "probability": 0.1}
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


def measure(page, width, folder):
    """What Chromium makes of the page in a frame of the given width."""
    probe = """<script>
      const inner = document.querySelector("iframe").contentWindow;
      addEventListener("load", () => {
        const seen = inner.document, box = (query) => seen.querySelector(query).getBoundingClientRect();
        const leads = [...seen.querySelectorAll(".lead")];
        document.title = JSON.stringify({
          first: seen.body.innerText.trim().split("\\n").slice(0, 3), wide: inner.innerWidth,
          heading: box("h1").top, bounds: box(".bounds").bottom,
          overflow: seen.documentElement.scrollWidth - seen.documentElement.clientWidth,
          requests: inner.performance.getEntriesByType("resource").length,
          above: leads.map((paragraph) => paragraph.innerText),
          gap: box(".bounds").top - leads.at(-1).getBoundingClientRect().bottom,
          flat: [...seen.querySelectorAll("svg.plot")].filter((svg) => svg.getBoundingClientRect().height < 120).length,
        });
      });
    </script>"""
    frame = f'<iframe style="width:{width}px;height:800px;border:0" srcdoc="{escape(page)}"></iframe>{probe}'
    (folder / "frame.html").write_text(f"<!doctype html><body style='margin:0'>{frame}", encoding="utf-8")
    switches = "headless no-sandbox no-first-run disable-gpu disable-quic disable-background-networking "
    switches += "disable-component-update disable-sync dump-dom window-size=1400,900"
    command = [CHROMIUM, *(f"--{switch}" for switch in switches.split()), f"--user-data-dir={folder / 'profile'}"]
    address = (folder / "frame.html").as_uri()
    done = subprocess.run([*command, address], capture_output=True, text=True, timeout=120, check=True)
    return json.loads(unescape(re.search("<title>(.*?)</title>", done.stdout, re.DOTALL).group(1)))


@needs_browser
@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("name", ["passing", "refused", "many"])
def test_a_browser_shows_the_verdict_first_and_nothing_sticks_out(name, width, request, tmp_path):
    report = request.getfixturevalue(name)
    seen = measure(render(report), width, tmp_path)
    assert seen["wide"] == width
    assert "This model" in seen["first"][0]
    assert headline(report) in seen["first"]
    assert seen["heading"] < 120
    assert seen["bounds"] < 800 or width < 1280
    assert seen["overflow"] == 0
    assert seen["requests"] == 0
    assert seen["flat"] == 0


@needs_browser
def test_a_browser_shows_what_to_know_of_the_comparison_right_above_the_bounds(passing, tmp_path):
    note = "the model in production does not know 'toxic', so nothing is compared there"
    evaluation = passing.evaluation.model_copy(update={"baseline_note": note})
    noted = measure(render(passing.model_copy(update={"evaluation": evaluation})), 1280, tmp_path)
    assert noted["above"][1:] == [f"Note: {note}."]
    assert 0 < noted["gap"] < 40
    assert len(measure(render(passing), 1280, tmp_path)["above"]) == 1

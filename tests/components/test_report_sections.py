"""The sections of the report: each has its two files and its place in the one list, and the navigation leads to it."""

import re
from pathlib import Path

import pytest

from fullbake.components.report import sections
from fullbake.components.report.page import ROWS, render, section_of
from tests.components.label_reports import label_report
from tests.components.reports import minimal, passing_report, report_of_many_classes
from tests.components.slice_reports import sliced_report

NAMES = [name for row in ROWS for name in row]
FOLDER = Path(sections.__file__).parent


def test_a_section_is_a_module_and_a_template_and_a_place_in_the_list():
    modules = {file.stem for file in FOLDER.glob("*.py")} - {"__init__"}
    templates = {file.stem for file in FOLDER.glob("*.html")}
    assert modules == templates == set(NAMES)
    assert len(NAMES) == len(set(NAMES))


def test_no_section_is_named_anywhere_else_in_the_frame_of_the_page():
    frame = (FOLDER.parent / "page.html").read_text(encoding="utf-8")
    assert [name for name in NAMES if re.search(rf"\b{name}\b", frame)] == []


@pytest.mark.parametrize("make", [passing_report, minimal, report_of_many_classes, label_report, sliced_report])
def test_the_navigation_leads_to_every_section_that_is_shown_in_their_order(make):
    page = render(make())
    navigation = re.search("<nav.*?</nav>", page, re.DOTALL).group()
    links = re.findall('<a href="#(.*?)">(.*?)</a>', navigation)
    report = make()
    shown = [section_of(name) for name in NAMES if section_of(name).context(report) is not None]
    assert links == [(section.anchor, section.title) for section in shown if section.title is not None]
    places = [page.index(f'id="{anchor}"') for anchor, _ in links]
    assert places == sorted(places)
    assert page.index(navigation) < places[0]

"""What people see of the report page: in light, dark, on a phone and on paper, of few classes and of many."""

import subprocess
from pathlib import Path
from shutil import which

import numpy as np
import pytest

from fullbake.components.report.page import render
from fullbake.components.report.sections.verdict import headline
from tests.components.chromium import CHROMIUM, Chromium
from tests.components.report_pages import HOSTILE, LONG, MAKERS, page_of
from tests.components.reports import passing_report

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium or google-chrome on PATH")
needs_poppler = pytest.mark.skipif(not (which("pdftoppm") and which("pdftotext")), reason="poppler is not on PATH")

PROBE = Path(__file__).with_name("report_probe.js").read_text(encoding="utf-8")
OPEN = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
SETTLE = "new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then)))"
LOOKS = {
    "light": {},
    "dark": {"dark": True},
    "phone": {"width": 390},
    "dark phone": {"width": 390, "dark": True},
    "paper": {"width": 695, "medium": "print"},  # what A4 has between our margins
    "paper of a dark screen": {"width": 695, "medium": "print", "dark": True},
}
TALLEST = 150  # CSS pixels of a name's place, whatever the name


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Chromium(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture(scope="module", params=list(MAKERS))
def shown(request, browser):
    """A page in the browser, by its name."""
    report, page = page_of(request.param)
    browser.show(page)
    return request.param, report, list(browser.events)


def test_the_page_asks_for_nothing_runs_nothing_and_complains_of_nothing(shown, browser):
    name, report, events = shown
    said = [event["method"] for event in events]
    assert said.count("Network.requestWillBeSent") == 1, "the page itself"
    assert not {"Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"} & set(said)
    assert browser.evaluate("typeof owned") == "undefined"
    assert browser.evaluate("document.title") == " ".join(f"{headline(report)} – {report.title}".split())
    assert browser.evaluate("document.querySelectorAll('script, img, iframe, link, object, [onerror]').length") == 0
    if name == "hostile":
        shows = browser.evaluate("document.body.innerText")
        assert all(attack in shows for attack in HOSTILE)


def test_the_verdict_comes_first_and_above_the_fold(shown, browser):
    _, report, _ = shown
    browser.look()
    first = browser.evaluate("document.body.innerText.trim().split('\\n').filter((line) => line).slice(0, 2)")
    assert "This model" in first[0]
    assert first[1] == headline(report)
    assert browser.evaluate("document.querySelector('h1').getBoundingClientRect().top") < 120
    assert browser.evaluate("document.querySelector('.bounds').getBoundingClientRect().bottom") < 900


@pytest.mark.parametrize("look", LOOKS)
def test_every_text_is_legible_and_nothing_sticks_out(shown, browser, look):
    name, _, _ = shown
    if name != "300 classes":  # its folded rows are like those of 77, and many
        browser.evaluate(OPEN)
    browser.look(**LOOKS[look])
    browser.look(**LOOKS[look], height=browser.evaluate("document.documentElement.scrollHeight"))
    browser.evaluate(SETTLE)
    seen = browser.evaluate(PROBE)
    assert seen["texts"] > 100
    assert seen["pale"] == [], "less contrast than WCAG 2.1 AA asks for"
    assert seen["small"] == []
    assert seen["overflow"] == 0
    assert seen["tallest"] < TALLEST
    assert seen["unsaid"] == [], "what scrolls sideways says so, and nothing else does"
    assert seen["unreachable"] == 0, "a keyboard reaches what scrolls"
    assert seen["flat"] == 0
    if "paper" in look:
        assert seen["cut"] == 0, "paper does not scroll"
    elif look in ("light", "dark"):
        assert seen["cut"] == 0, "a screen has room for every table"
    elif name == "12 classes":
        assert seen["cut"] > 0, "no page tries the hint"


def test_colours_change_with_the_scheme(browser):
    browser.show(render(passing_report()))
    colours = (
        "['body', '.verdict', '.card'].map((one) => getComputedStyle(document.querySelector(one)).backgroundColor)"
    )
    light = browser.evaluate(colours)
    browser.look(dark=True)
    dark = browser.evaluate(colours)
    brightness = [[sum(map(int, one[4:-1].split(","))) for one in each] for each in (light, dark)]
    assert min(brightness[0]) > 3 * 200
    assert max(brightness[1]) < 3 * 80


def test_what_to_know_of_the_comparison_stands_right_above_the_bounds(browser):
    report = passing_report()
    note = "the model in production does not know 'toxic', so nothing is compared there"
    evaluation = report.evaluation.model_copy(update={"baseline_note": note})
    browser.show(render(report.model_copy(update={"evaluation": evaluation})))
    leads = "[...document.querySelectorAll('.lead')]"
    assert browser.evaluate(f"{leads}.slice(1).map((one) => one.innerText)") == [f"Note: {note}."]
    below = "document.querySelector('.bounds').getBoundingClientRect().top"
    assert 0 < browser.evaluate(f"{below} - {leads}.at(-1).getBoundingClientRect().bottom") < 40


def test_a_name_that_is_cut_has_all_of_it_in_its_title(browser):
    browser.show(page_of("6 classes")[1])
    titles = browser.evaluate(
        "[...document.querySelectorAll('.name')].filter((one) => one.scrollHeight > one.clientHeight + 1)"
        ".map((one) => one.title)"
    )
    assert len(titles) >= 5
    assert all(LONG in title for title in titles)


@needs_poppler
def test_paper_has_every_section_and_no_half_empty_page(shown, browser, tmp_path):
    _, report, _ = shown
    browser.evaluate(OPEN.replace("true", "false"))
    headings = browser.evaluate("[...document.querySelectorAll('h2')].map((one) => one.innerText)")
    (tmp_path / "page.pdf").write_bytes(browser.pdf())
    subprocess.run(["pdftoppm", "-r", "20", "-gray", "page.pdf", "page"], cwd=tmp_path, check=True)
    pages = [_pixels(file) for file in sorted(tmp_path.glob("*.pgm"))]
    filled = [np.flatnonzero((page < 250).any(axis=1)).max() / len(page) for page in pages]
    assert len(pages) <= 8
    assert min(filled[:-1]) > 0.6, filled
    text = subprocess.run(
        ["pdftotext", "page.pdf", "-"], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    words = "".join(text.split())
    assert len(headings) >= 8
    assert [heading for heading in [headline(report)[:40], *headings] if "".join(heading.split()) not in words] == []


def _pixels(file: Path) -> np.ndarray:
    """A picture in binary PGM, whose header is three lines."""
    _, size, _, grey = file.read_bytes().split(b"\n", 3)
    width, height = map(int, size.split())
    return np.frombuffer(grey, np.uint8).reshape(height, width)

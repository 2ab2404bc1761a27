"""The page of a comparison: self-contained, escaped, and true to the numbers."""

import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from fullbake.pipeline.comparison.page import description, headline, render_page
from tests.pipeline.comparison.outcomes import TRUTH, by_hand, compared, drawn, outcome

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Page(HTMLParser):
    """What could reach beyond the page, and what its sections are."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.references = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.references += [value for name, value in attributes if name in ("src", "href", "xlink:href", "action")]


def test_the_page_refers_to_nothing_outside_itself_and_holds_no_script():
    page = render_page(by_hand(), "spam", "name: spam\n")
    parsed = Page(page)
    assert parsed.references == []
    assert not {"script", "link", "iframe", "img", "object"} & set(parsed.tags)
    assert not re.search(r"url\(|@import|https?:", page)
    assert parsed.tags.count("svg") == 3 + 3 + 1  # averages, classes, times


def test_the_page_escapes_what_users_named():
    nasty = "<b>&\"'</svg><script>alert(1)</script>"
    comparison = compared((nasty, "ok"), TRUTH, [outcome(nasty, TRUTH), outcome("frozen", 1 - TRUTH)])
    page = render_page(comparison, nasty, f"name: {nasty}")
    assert nasty not in page
    assert "<b>&" not in page
    assert not {"script"} & set(Page(page).tags)
    assert "recall of &lt;b&gt;&amp;" in page


def test_the_page_says_what_the_numbers_say():
    comparison = drawn({"fine_tune": 0.9, "frozen": 0.7}, seeds=3)
    page = render_page(comparison, "news", "name: news")
    assert headline(comparison).startswith("fine_tune recognises the classes best (mean recall 0.")
    assert headline(comparison) in page
    assert "By more than luck fine_tune is better in accuracy, macro F1, macro recall, recall of class_0" in page
    assert page == render_page(comparison, "news", "name: news")
    assert page.count('class="both"') == len(comparison.tests)
    close = drawn({"fine_tune": 0.80, "frozen": 0.80, "other": 0.5}, seeds=3)
    assert headline(close).endswith("is too close to tell")
    assert "other" not in headline(close)


def test_the_page_of_one_approach_has_no_pairs_to_test():
    alone = compared(("a", "b"), TRUTH, [outcome("frozen", TRUTH)])
    assert headline(alone) == "frozen alone: mean recall 1.000"
    assert "Could it be luck?" not in render_page(alone, "x", "name: x")


def test_approaches_are_described_from_the_table_of_approaches():
    assert description("frozen") == "trains the head alone, the base frozen"
    assert description("further_pretrain").endswith("(masked-LM pre-training), then trains base and head")
    assert description("lora") == "trains low-rank adapters and head, the base frozen"
    assert description("unheard_of") == ""


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium or google-chrome on PATH")
@pytest.mark.parametrize("width", [1200, 400])
def test_nothing_sticks_out_of_the_page_in_a_browser(width, tmp_path):
    names = {"further_pretrain": 0.8, "fine_tune": 0.85, "frozen": 0.6, "probe_then_fine_tune": 0.84}
    labels = ("a_rather_long_label_for_a_class", "hate", "neither")
    page = render_page(drawn(names, labels=labels), "news", "name: news")
    # A frame, because a headless window is never narrower than 500; the script is the test's, not the page's.
    script = "<script>onload = () => document.title = document.documentElement.scrollWidth</script>"
    (tmp_path / "page.html").write_text(page + script, encoding="utf-8")
    frame = f'<iframe id="f" src="page.html" style="border:0;width:{width}px;height:900px"></iframe>'
    read = "<script>onload = () => setTimeout(() => document.title = f.contentDocument.title, 200)</script>"
    (tmp_path / "frame.html").write_text(frame + read, encoding="utf-8")
    dom = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={tmp_path / 'profile'}"),
            *("--allow-file-access-from-files", "--virtual-time-budget=3000", "--window-size=1300,1000", "--dump-dom"),
            (tmp_path / "frame.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert re.search(r"<title>(\d*)</title>", dom).group(1) == str(width)

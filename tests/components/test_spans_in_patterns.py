"""Which files are of the newest spans."""

import pytest

from fullbake.components.data.spans import of_newest_spans


@pytest.mark.parametrize(
    ("pattern", "files", "window", "newest"),
    [
        ("*/*", ["pos/1.txt", "neg/2.txt"], 1, ["pos/1.txt", "neg/2.txt"]),
        ("span-{SPAN}/*/*", ["span-9/pos/1", "span-10/pos/1", "span-10/neg/2"], 1, ["span-10/pos/1", "span-10/neg/2"]),
        ("span-{SPAN}/*/*", ["span-1/a/1", "span-2/a/1", "span-3/a/1"], 2, ["span-2/a/1", "span-3/a/1"]),
        ("{YYYY}/{MM}/*", ["2026/01/a.csv", "2026/02/a.csv"], 1, ["2026/02/a.csv"]),
    ],
)
def test_a_pattern_may_have_several_stars(pattern, files, window, newest):
    found = of_newest_spans([f"data/{file}" for file in files], "data", pattern, window)
    assert found == [f"data/{file}" for file in newest]

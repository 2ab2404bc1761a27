"""The comparison as Markdown and in a terminal."""

import io
import re

from rich.console import Console

from fullbake.pipeline.comparison.markdown import to_markdown
from fullbake.pipeline.comparison.terminal_table import print_comparison
from tests.pipeline.comparison.outcomes import TRUTH, by_hand, compared, drawn, outcome


def test_markdown_has_a_column_for_each_approach_and_a_sentence_for_each_test():
    lines = to_markdown(by_hand()).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert table[:2] == ["| | fine_tune | frozen |", "|---|---:|---:|"]
    assert "| accuracy | 0.833 ± 0.000 | 0.583 ± 0.118 |" in table
    assert "| time to train | 2 min 10 s ± 42 s | 8.5 s ± 0.7 s |" in table
    assert "| learning rate | 3e-5 to 5e-5 | 0.01 |" in table
    (accuracy,) = (line for line in lines if ": accuracy " in line)
    interval = r"95% [+-]0\.\d{3} to \+0\.\d{3}, p = 0\.\d\d; with luck of training ±\d\.\d{3}"
    form = rf"- fine_tune - frozen: accuracy \+0\.250 \({interval}\): may be luck.*"
    assert re.fullmatch(form, accuracy)
    assert lines[-1].endswith("up to about 1 in 20 is called more than luck all the same.")


def test_markdown_shows_labels_with_marks_of_its_own_as_they_are():
    odd = compared(("<b>|x*", "two\nlines"), TRUTH, [outcome("a", TRUTH)])
    assert r"| recall of \<b>\|x\* | 1.000 |" in to_markdown(odd)
    assert "| recall of two lines | 1.000 |" in to_markdown(odd)


def test_the_terminal_shows_four_approaches_in_100_columns_unbroken():
    names = {"further_pretrain": 0.8, "fine_tune": 0.85, "frozen": 0.6, "probe_then_fine_tune": 0.84}
    out = io.StringIO()
    comparison = drawn(names, labels=("hate", "[bold]", "neither"))
    print_comparison(comparison, Console(file=out, width=100))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 100
    assert any(all(name in line for name in names) for line in lines)
    first, *tests = (line.count("±") for line in lines if line.startswith("recall of [bold]"))
    assert first == 4, "each approach's spread"
    assert tests == [1] * 6, "each pair's margin"
    assert sum(line.startswith("recall of hate") for line in lines) == 1 + 6
    assert "fine_tune - frozen" in out.getvalue()

"""The confusion matrix: of a few classes as a table, of many the part where most mistakes are, and all as a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from fullbake.components.report.axes import ticks
from fullbake.contract.results.evaluation import Evaluation

MOST_CONFUSIONS = 15
MOST_COLUMNS = 14
"""Of the part of a large matrix: as many columns of four digits stand side by side on a page without scrolling."""

HEAT_LEVELS = 6  # shades of the heat map
LEAST_MARK = 4.5
"""Of the heat map, in its units: of 300 classes a cell is so small that a mark has to stand out of it to be seen."""

OTHERS = "any other"


class Cell(NamedTuple):
    """Texts of one true class that were given one label; `look` is "right", "wrong" or, of none, empty."""

    texts: int
    share: float | None  # of the true class's texts; None where it has none
    look: str


class MatrixRow(NamedTuple):
    """A true class, and what its texts were labelled."""

    label: str
    cells: list[Cell]


class Matrix(NamedTuple):
    """A table of true classes by decided ones."""

    columns: list[str]
    rows: list[MatrixRow]


def most_confused(evaluation: Evaluation) -> list[tuple[str, str, int, float]]:
    """Returns the pairs of classes that were confused, the most frequent first.

    Returns:
        Of each: true label, decided label, texts, and their share of the true label's texts.
    """
    pairs = [
        (evaluation.labels[row], evaluation.labels[column], texts, texts / sum(counts))
        for row, counts in enumerate(evaluation.confusion)
        for column, texts in enumerate(counts)
        if texts and row != column
    ]
    return sorted(pairs, key=lambda pair: (-pair[2], -pair[3]))


def whole_matrix(evaluation: Evaluation) -> Matrix:
    """Returns the matrix of all classes."""
    return _matrix(evaluation, range(len(evaluation.labels)))


def worst_part(evaluation: Evaluation) -> Matrix | None:
    """Returns the rows and columns of the classes of the most frequent mistakes, in the order of the labels.

    What their texts were labelled beside these is the last column. None where no text was labelled wrongly.
    """
    places = {label: place for place, label in enumerate(evaluation.labels)}
    chosen: set[int] = set()
    for truth, decided, _, _ in most_confused(evaluation)[:MOST_CONFUSIONS]:
        pair = {places[truth], places[decided]}
        if len(chosen | pair) <= MOST_COLUMNS:
            chosen |= pair
    return _matrix(evaluation, sorted(chosen)) if chosen else None


def _matrix(evaluation: Evaluation, chosen: Sequence[int]) -> Matrix:
    rows, columns = [], [evaluation.labels[place] for place in chosen]
    for row in chosen:
        counts = evaluation.confusion[row]
        cells = [_cell(counts[column], sum(counts), row == column) for column in chosen]
        if len(chosen) < len(evaluation.labels):
            cells.append(_cell(sum(counts) - sum(cell.texts for cell in cells), sum(counts), right=False))
        rows.append(MatrixRow(evaluation.labels[row], cells))
    return Matrix([*columns, OTHERS] if len(chosen) < len(evaluation.labels) else columns, rows)


def _cell(texts: int, whole: int, right: bool) -> Cell:
    return Cell(texts, texts / whole if whole else None, ("right" if right else "wrong") if texts else "")


def heat_map_svg(confusion: Sequence[Sequence[int]]) -> Markup:
    """Draws the confusion matrix of many classes: one cell a pair, shaded by its share of the true class's texts.

    Cells of a shade are one path, so that 77 classes take kilobytes. The square root makes rare confusions visible.
    The picture is as wide whatever the number of classes; they are numbered from 1, not named: names would not be
    legible.
    """
    size, left, top = 600, 36, 22
    cell = size / len(confusion)
    mark = max(0.9 * cell, LEAST_MARK)
    inset, inner = (cell - mark) / 2, f"{mark:.2f}"
    shades: dict[str, list[str]] = {}
    for row, decided in enumerate(confusion):
        for column, texts in enumerate(decided):
            if texts:
                level = max(1, math.ceil(HEAT_LEVELS * math.sqrt(texts / sum(decided)) - 1e-9))
                look = f"{'right' if row == column else 'wrong'} l{level}"
                corner = f"M{left + column * cell + inset:.2f} {top + row * cell + inset:.2f}"
                shades.setdefault(look, []).append(f"{corner}h{inner}v{inner}h-{inner}z")
    parts = [
        f'<svg class="plot heat" viewBox="0 0 {left + size + 4} {top + size + 4}" role="img" '
        f'aria-label="Heat map of the confusion matrix of {len(confusion)} classes; tables show where it is wrong.">',
        f'<rect class="field" x="{left}" y="{top}" width="{size}" height="{size}"/>',
    ]
    for number in sorted({1, *(int(tick) for tick in ticks(1, len(confusion), 10))}):
        middle = (number - 0.5) * cell
        parts.append(f'<text x="{left - 6}" y="{top + middle + 4:.1f}" text-anchor="end">{number}</text>')
        parts.append(f'<text x="{left + middle:.1f}" y="{top - 7}" text-anchor="middle">{number}</text>')
    parts += [f'<path class="{look}" d="{"".join(cells)}"/>' for look, cells in sorted(shades.items())]
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 - it holds numbers only

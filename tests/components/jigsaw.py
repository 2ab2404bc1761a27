"""Files as those of Jigsaw's toxic comments are written: each label has a column, and labels are hidden in the test."""

import csv
import random
from pathlib import Path

LABELS = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")
SHARES = (0.1, 0.01, 0.05, 0.003, 0.05, 0.009)
"""Of the rows; as in the real data set, most rows have none of the labels."""


def make_rows(rows: int, seed: int = 3) -> list[tuple[str, str, dict[str, bool]]]:
    """Returns rows of id, text and labels; texts have quotes, commas and lines of their own."""
    rng = random.Random(seed)  # noqa: S311
    made = []
    for number in range(rows):
        text = f'Comment {number}, "quoted"\n\nand a line {"more " * rng.randrange(9)}\n'
        has = {label: rng.random() < share for label, share in zip(LABELS, SHARES, strict=True)}
        made.append((f"{number:016x}", text, has))
    return made


def write_train(path: Path, rows: list[tuple[str, str, dict[str, bool]]]) -> None:
    """Writes `train.csv`: id, text and labels, header and texts in quotes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        writer.writerow(["id", "comment_text", *LABELS])
        writer.writerows([row_id, text, *(int(has[label]) for label in LABELS)] for row_id, text, has in rows)


def write_test(folder: Path, rows: list[tuple[str, str, dict[str, bool]]], hidden: set[int]) -> None:
    """Writes `test.csv`, which has no labels, and `test_labels.csv`, in which those of some rows are -1."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "test.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerows([("id", "comment_text"), *((row_id, text) for row_id, text, _ in rows)])
    with (folder / "test_labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", *LABELS])
        for number, (row_id, _, has) in enumerate(rows):
            writer.writerow([row_id, *(-1 if number in hidden else int(has[label]) for label in LABELS)])

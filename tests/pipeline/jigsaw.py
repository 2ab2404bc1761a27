"""Files with the layout of the Toxic Comment Classification Challenge: its header, quotes, line breaks and masks."""

import csv
import random
from pathlib import Path

LABELS = ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"]
SIGNAL = dict(zip(LABELS, ["idiot", "very", "fool", "day", "bad", "kind"], strict=True))
FILLER = ["you", "are", "a", "good", "of", "person", "what", "the", "garden", "lovely", "not", "is", "it"]
SHARE = dict(zip(LABELS, [0.4, 0.4, 0.3, 0.2, 0.3, 0.2], strict=True))
"""Of rows that have a label. Severe is what is toxic already: of those, as many."""

Comment = tuple[str, str, list[int]]


def comments(rows: int, seed: int) -> list[Comment]:
    """Ids, texts and labels. A text has a label if it has the label's word, and `severe_toxic` with `toxic` only."""
    chosen = random.Random(seed)  # noqa: S311 (nothing secret)
    made = []
    for _ in range(rows):
        words = chosen.choices(FILLER, k=chosen.randint(4, 8))
        has = [int(chosen.random() < SHARE[label]) for label in LABELS]
        has[1] *= has[0]
        for label, present in zip(LABELS, has, strict=True):
            if present:
                words.insert(chosen.randint(0, len(words)), SIGNAL[label])
        text = " ".join(words)
        if chosen.random() < 0.2:
            text = f'"\n{text.capitalize()}\n\n"" said he, {{{{citation}}}} "'
        made.append((f"{chosen.getrandbits(64):016x}", text, has))
    return made


def write_jigsaw(folder: Path, train: int = 500, test: int = 160, masked: int = 40) -> Path:
    """Writes `train/train.csv`, and below `test` the texts and their labels, which are all -1 for some of them."""
    for name in ("train", "test"):
        (folder / name).mkdir(parents=True)
    _write(folder / "train/train.csv", ["id", "comment_text", *LABELS], [(a, b, *c) for a, b, c in comments(train, 1)])
    held_out = comments(test + masked, 2)
    labels = [(row_id, *(has if number < test else [-1] * 6)) for number, (row_id, _, has) in enumerate(held_out)]
    random.Random(3).shuffle(held_out)  # noqa: S311
    _write(folder / "test/test.csv", ["id", "comment_text"], [row[:2] for row in held_out])
    _write(folder / "test/test_labels.csv", ["id", *LABELS], labels)
    return folder


def _write(file: Path, header: list[str], rows: list[tuple[str | int, ...]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerows([header, *rows])

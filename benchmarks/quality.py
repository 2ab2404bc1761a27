"""Macro recall with batches of similar length and with batches dealt at random: what speed costs, which is nothing."""

from __future__ import annotations

import statistics
import sys

from benchmarks import texts
from benchmarks.ours import train
from benchmarks.results import Result
from fullbake.trainer.data import input_pipeline

TRAIN_ROWS = 3000
EVAL_ROWS = 2000
SEEDS = (0, 1)
EPOCHS = 2


def main() -> None:
    """Trains on tweets, twice with each way of dealing batches."""
    rows = texts.labelled_tweets(TRAIN_ROWS + EVAL_ROWS)
    if rows is None:
        print(f"{texts.TWEETS_VARIABLE} names no file: nothing to learn", file=sys.stderr)
        return
    found, labels = rows
    train_split, evaluate = (
        texts.tokenized(found[part], labels[part]) for part in (slice(TRAIN_ROWS), slice(TRAIN_ROWS, None))
    )
    recalls: dict[str, list[float]] = {}
    # A pool of one batch has nothing to sort.
    for name, pool in (("by length", input_pipeline.POOL_BATCHES), ("at random", 1)):
        input_pipeline.POOL_BATCHES = pool
        for seed in SEEDS:
            changes = {"learning_rate": 1e-4, "class_weights": "balanced", "seed": seed}
            record = train("fine_tune", train_split, EPOCHS, evaluate, **changes)
            recalls.setdefault(name, []).append(record.epochs[-1].eval_macro_recall)
    means = {name: statistics.mean(found) for name, found in recalls.items()}
    spread = max(max(found) - min(found) for found in recalls.values())
    figures = ", ".join(f"{name} {' and '.join(f'{r:.3f}' for r in found)}" for name, found in recalls.items())
    difference = abs(means["by length"] - means["at random"])
    what = f"macro recall, batches by length v. at random, {TRAIN_ROWS:,} tweets, {len(SEEDS)} seeds"
    Result(what, difference, "", spread, figures, at_most=True).print()


if __name__ == "__main__":
    main()

"""Three epochs with a frozen base: ours runs it once, a script runs it every epoch over padded rows."""

from __future__ import annotations

from benchmarks import texts
from benchmarks.ours import train
from benchmarks.padded_keras import PaddedKeras
from benchmarks.results import Result, seconds, side_by_side

EPOCHS = 3


def main() -> None:
    """Measures tweets."""
    name, found = texts.tweets(2000)
    split = texts.tokenized(found)
    padded = PaddedKeras(found[:32], trainable=False)
    ours, keras = side_by_side(
        lambda: len(found) / seconds(lambda: train("frozen", split, EPOCHS, head="mlp")),
        lambda: padded.rows_per_second() / EPOCHS,
    )
    figures = f"{ours:.1f} and {keras:.2f} rows/s for all {EPOCHS} epochs, building the model and its graphs included"
    Result(f"frozen base, {EPOCHS} epochs, v. padded Keras, {name}", ours / keras, "x", 60, figures).print()


if __name__ == "__main__":
    main()

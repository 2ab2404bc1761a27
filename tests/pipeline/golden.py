"""What runs come to, bit by bit: so that a change that must change nothing can be held against the code before it.

`python -m tests.pipeline.golden FILE` writes what comes of one run of each kind, or compares with what the file has.
Both must be done on one machine: other processors add in another order.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.pipeline.chaos import Moment, Runs
from tests.warm import WarmProcess

# By name, sections of the config. A rate of None is the approach's own.
OWN_RATE: dict[str, Any] = {"learning_rate": None}
KINDS: dict[str, dict[str, dict[str, Any]]] = {
    "fine_tune": {},
    "frozen": {"model": {"approach": "frozen"}, "training": OWN_RATE},
    "probe_then_fine_tune": {"model": {"approach": "probe_then_fine_tune"}, "training": OWN_RATE},
    "further_pretrain": {"model": {"approach": "further_pretrain"}, "pretraining": {"epochs": 2}},
    "lora": {"model": {"approach": "lora"}, "training": OWN_RATE},
    "tuned": {"training": OWN_RATE, "tuning": {"learning_rates": [1e-4, 3e-3]}},
    "weighted": {
        "training": {"gradient_accumulation_steps": 2, "class_weights": "balanced", "early_stopping_patience": 1}
    },
}
RESUMED = "resumed"
"""A fine_tune whose Trainer is killed half-way, and run again."""

# Of a report's page: what is another each time.
_TIMES = re.compile(
    r'<table class="times">.*?</table>|\d{10}|\d{4}-\d\d-\d\d[T ]\d\d[:-]\d\d([:-]\d\d)?'
    r"|\d+ h \d+ min|(\d+ min )?\d+(\.\d+)? s\b",
    re.DOTALL,
)


def outcomes(folder: Path) -> dict[str, dict[str, Any]]:
    """By kind of run, what it said, and digests of the weights and of the report's page.

    Args:
        folder: Where the runs are kept.
    """
    warm = WarmProcess()
    found = {}
    for kind in [*KINDS, RESUMED]:
        (folder / kind).mkdir()
        runs = Runs(folder / kind, warm, **KINDS.get(kind, {}))
        if kind == RESUMED:
            _run(runs, "undisturbed")
            runs.run("run", Moment("Trainer", runs.counts("undisturbed")["Trainer"] // 2))
        _run(runs, "run")
        outcome = runs.outcome("run")
        weights = hashlib.sha256()
        for name, value in sorted(outcome.weights.items()):
            weights.update(name.encode() + b"\0" + value)
        (page,) = (folder / kind / "run/reports").glob("*/report.html")
        text = _TIMES.sub("", page.read_text(encoding="utf-8").replace(str(folder), ""))
        found[kind] = {
            "said": outcome.said,
            "weights": weights.hexdigest(),
            "report": hashlib.sha256(text.encode()).hexdigest(),
        }
        print(f"{kind}: {weights.hexdigest()[:12]}", flush=True)
    warm.stop()
    return found


def _run(runs: Runs, name: str) -> None:
    code, said = runs.run(name)
    if code:
        raise RuntimeError(said)


def main(file: Path) -> int:
    """Writes the file, or prints what differs from it; returns how many differences there are."""
    with tempfile.TemporaryDirectory(prefix="fullbake-golden-") as place:
        found = json.loads(json.dumps(outcomes(Path(place))))
    if not file.exists():
        file.write_text(json.dumps(found, indent=1), encoding="utf-8")
        print(f"written: {file}")
        return 0
    known = json.loads(file.read_text(encoding="utf-8"))
    different = [
        f"{kind}: {what}"
        for kind in sorted({*known, *found})
        for what in ("said", "weights", "report")
        if known.get(kind, {}).get(what) != found.get(kind, {}).get(what)
    ]
    print("\n".join(different) or "equal")
    return len(different)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

"""Ends runs of the pipeline at seeded moments, runs them again, and compares what comes of it with an undisturbed run.

A moment is counted, not timed, so that it is the same one on a fast and on a slow machine: the n-th time that a stage
does something to a file of the run, or ends a training step. Python's audit events tell of both.

`python -m tests.pipeline.chaos` (`make chaos`) ends twenty runs, each in a folder of its own.
"""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf

from tests.conftest import make_base
from tests.pipeline.planted import LABELS, planted_rows, write_config, write_csv
from tests.warm import WarmProcess

RUNS = 20
_STEP = "chaos.step"
_CHANGES = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir"})


class Moment(NamedTuple):
    """When a run is ended, and how.

    Attributes:
        stage: The component that is at work.
        event: The number, from 1, of what it does to files and of its training steps.
        signal: What the process is sent.
    """

    stage: str
    event: int
    signal: int = signal.SIGKILL


def main(arguments: list[str]) -> None:
    """Runs `fullbake` in this process, ends it at a moment, or writes how much each stage does.

    Args:
        arguments: The root of the run, a moment as JSON or `null`, the file for the counts, then those of `fullbake`.
    """
    from fullbake.command_line.main import main as fullbake

    root, moment, counts_file, *command = arguments
    os.setsid()
    tempfile.tempdir = None  # looked up again, in this process's environment
    counts = _watch(root, Moment(*json.loads(moment)) if json.loads(moment) else None)
    try:
        fullbake(command, prog_name="fullbake")
    finally:
        Path(counts_file).write_text(json.dumps(counts), encoding="utf-8")


def _watch(root: str, moment: Moment | None) -> Counter[str]:
    import tf_keras

    counts: Counter[str] = Counter()
    stage = ["start"]
    one_at_a_time = threading.RLock()

    def happens(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not isinstance(flags, int) or not flags & (os.O_WRONLY | os.O_RDWR):
                return
        elif event in _CHANGES:
            path = arguments[0]
        elif event != _STEP:
            return
        if event != _STEP and not (isinstance(path, str | os.PathLike) and os.fspath(path).startswith(root)):
            return
        with one_at_a_time:
            counts[stage[0]] += 1
            if moment and (stage[0], counts[stage[0]]) == moment[:2]:
                os.killpg(0, moment.signal) if moment.signal == signal.SIGKILL else os.kill(os.getpid(), moment.signal)

    make_record = logging.getLogRecordFactory()

    def noted(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make_record(*args, **kwargs)
        if record.msg == "Component %s is running.":
            stage[0] = str(record.args[0])
        return record

    logging.setLogRecordFactory(noted)
    fit = tf_keras.Model.fit
    step = tf_keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: sys.audit(_STEP))
    tf_keras.Model.fit = lambda self, *args, callbacks, **more: fit(self, *args, callbacks=[step, *callbacks], **more)
    sys.addaudithook(happens)
    return counts


class Outcome(NamedTuple):
    """What must not differ: all that a run says but for times and places, and the bytes of the pushed weights."""

    said: dict[str, Any]
    weights: dict[str, bytes]


class Runs:
    """Runs of one config, each below an output root of its own.

    Args:
        folder: Where data, config and roots are.
        warm: Runs them.
        sections: Of the config.
    """

    def __init__(self, folder: Path, warm: WarmProcess, **sections: dict[str, Any]):
        self.folder = folder
        self._warm = warm
        write_csv(folder / "data/train.csv", ["id", "text", "label"], planted_rows())
        self._config = write_config(
            folder,
            str(make_base(folder / "base")),
            data={"label_map": {0: "kind", 1: "rude", 2: "plain"}},
            gate={"min_recall": dict.fromkeys(LABELS, 0)},
            **sections,
        )
        self.temporary = folder / "temporary"
        self.temporary.mkdir()

    def run(self, name: str, moment: Moment | None = None) -> tuple[int, str]:
        """Runs the pipeline, up to a moment; returns the exit code, negative for a signal, and what it said."""
        root = self.folder / name
        command = ["run", str(self._config), "--root", str(root), "--summary", str(self.folder / f"{name}.json")]
        done = self._warm.run(
            "chaos",
            [str(root), json.dumps(moment), str(self.folder / f"{name}.counts"), *command],
            self.folder,
            {**os.environ, "TMPDIR": str(self.temporary)},
        )
        return done.returncode, done.stderr

    def counts(self, name: str) -> dict[str, int]:
        """How much each stage of a run that was not ended did."""
        found: dict[str, int] = json.loads((self.folder / f"{name}.counts").read_text(encoding="utf-8"))
        return found

    def outcome(self, name: str) -> Outcome:
        """What came of a run."""
        summary = json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))
        reader = tf.train.load_checkpoint(os.path.join(summary["model"], "variables/variables"))
        weights = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
        said = {key: summary[key] for key in ("pushed", "examples", "metrics", "training", "pretraining", "tuning")}
        return Outcome(
            _without_times(said),
            {name: value.tobytes() for name, value in weights.items() if hasattr(value, "tobytes")},
        )


def _without_times(said: Any) -> Any:
    if isinstance(said, dict):
        return {key: _without_times(value) for key, value in said.items() if key != "seconds"}
    return [_without_times(value) for value in said] if isinstance(said, list) else said


def moments(counts: dict[str, int], number: int, seed: int) -> list[Moment]:
    """Draws moments of all stages in turn."""
    chosen = random.Random(seed)  # noqa: S311 (nothing secret)
    stages = [stage for stage in counts if counts[stage]]
    return [Moment(stage := stages[i % len(stages)], chosen.randint(1, counts[stage])) for i in range(number)]


def twenty(folder: Path, seed: int) -> int:
    """Ends twenty runs and prints what came of each; returns how many ended otherwise than the undisturbed one."""
    warm = WarmProcess()
    runs = Runs(
        folder,
        warm,
        model={"approach": "further_pretrain"},
        training={"epochs": 3, "learning_rate": None, "early_stopping_patience": 2},
        pretraining={"epochs": 2},
        tuning={"learning_rates": [1e-4, 3e-3]},
    )
    code, said = runs.run("undisturbed")
    if code:
        raise RuntimeError(said)
    expected, others = runs.outcome("undisturbed"), 0
    for number, moment in enumerate(moments(runs.counts("undisturbed"), RUNS, seed), 1):
        started = time.monotonic()
        ended, _ = runs.run(f"run-{number}", moment)
        code, said = runs.run(f"run-{number}")
        same = code == 0 and runs.outcome(f"run-{number}") == expected
        others += not same
        verdict = "equal" if same else f"NOT EQUAL (exit code {code}) {said[-2000:]}"
        how = "ended" if ended == -signal.SIGKILL else f"exit code {ended}"
        seconds = time.monotonic() - started
        print(f"{number:2} {moment.stage} {moment.event}: {how}, then {verdict}, {seconds:.0f} s", flush=True)
    warm.stop()
    print(f"{RUNS - others} of {RUNS} as the undisturbed run (seed {seed})")
    return others


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="fullbake-chaos-") as place:
        sys.exit(twenty(Path(place), int(sys.argv[1]) if sys.argv[1:] else 0))

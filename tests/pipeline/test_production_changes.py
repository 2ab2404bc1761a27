"""Production that changes under a run: another push, a rollback, a model that is damaged."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from fullbake.components.serving.publishing import publish, sole_pusher
from fullbake.components.serving.pushed_models import fault, newest_version, read_push
from fullbake.contract.results.push import Push
from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.local_runner import run_locally
from tests.pipeline.planted import executions, planted_rows, write_config, write_csv


class Place:
    """A root and the push destination that it shares with others."""

    def __init__(self, folder: Path, base: Path, fullbake):
        write_csv(folder / "data/train.csv", ["id", "text", "label"], planted_rows())
        self.root, self.serving = folder / "out", folder / "shared"
        self.config = write_config(
            folder,
            str(base),
            data={"label_map": {0: "kind", 1: "rude", 2: "plain"}},
            model={"approach": "frozen"},
            training={"epochs": 1, "learning_rate": None},
            gate={"min_recall": {"kind": 0.0}, "max_recall_drop": 1.0},
            push={"serving_dir": str(self.serving)},
        )
        self._summary = folder / "summary.json"
        self._fullbake = fullbake

    def run(self, *options: str):
        self._summary.unlink(missing_ok=True)
        done = self._fullbake("run", self.config, "--root", self.root, "--summary", self._summary, *options)
        return done, json.loads(self._summary.read_text()) if self._summary.exists() else None

    @property
    def newest(self) -> Path:
        return Path(str(newest_version(str(self.serving))))

    def push_as_another(self) -> str:
        """Pushes the model that is being judged, as another run of another recipe would push its own."""
        (made,) = self.root.glob("pipeline/Trainer/model/*/Format-Serving")
        with sole_pusher(str(self.serving)):
            return publish(str(self.serving), str(made), Push(recipe="another", data="other"))


def test_a_run_whose_production_changes_judges_again_and_what_was_rolled_back_does_not_come_back(
    fullbake, base: Path, tmp_path: Path
):
    place = Place(tmp_path, base, fullbake)
    others, warned = [], []

    def meanwhile(component: str, seconds: float | None) -> None:
        if component == "ServableCheck" and seconds is None and not others:
            others.append(place.push_as_another())

    record = run_locally(load_config(place.config), place.root, meanwhile, warned.append)
    # It was judged where nothing was in production; now the other is. So it was compared with that, and then pushed.
    assert record.pushed_model == str(place.newest)
    assert record.evaluation.baseline.model == others[0]
    assert record.judged_against == Path(others[0]).name
    assert read_push(record.pushed_model).replaced == Path(others[0]).name
    (warning,) = (text for text in warned if "judged once more" in text)
    assert warning == (f"the model was judged against nothing, and now {others[0]} is in production: judged once more")
    ran = executions(place.root)
    assert (ran["Trainer", "COMPLETE"], ran["Evaluator", "COMPLETE"], ran["Pusher", "COMPLETE"]) == (1, 2, 2)
    note = read_push(record.pushed_model)
    assert note.metrics.accuracy == record.evaluation.accuracy
    assert note.examples["train"] == record.summary()["examples"]["train"]
    assert note.run

    # Nothing is new: nothing runs.
    done, summary = place.run()
    assert (done.exit_code, summary["model"]) == (0, record.pushed_model)
    assert executions(place.root) - ran == Counter({(name, "CACHED"): 1 for name, _ in ran})

    # What was rolled back stays so, and the run says it.
    pushed, withdrawn = place.newest, place.newest.name
    done = fullbake("rollback", place.serving)
    assert done.exit_code == 0
    assert done.output == f"version {Path(others[0]).name} is in production again, as {place.newest}\n"
    back = place.newest
    done, summary = place.run()
    assert (done.exit_code, summary["pushed"], summary["withdrawn"]) == (0, False, withdrawn)
    assert f"not pushed: version {withdrawn}, made of the same files in the same way, was rolled back" in done.output
    assert f"to put it back: fullbake rollback {place.serving} {withdrawn}" in done.output
    assert place.newest == back
    # Put back by its name it serves again, and the run knows it for its own.
    assert fullbake("rollback", place.serving, withdrawn).exit_code == 0
    done, summary = place.run()
    assert (done.exit_code, summary["model"]) == (0, str(place.newest))
    assert "nothing new" in done.output

    # A damaged one stops the next run at once, whatever the cache remembers, and a line says what can be done.
    copy = place.newest
    (copy / "variables/variables.data-00000-of-00001").write_bytes(
        bytes((copy / "variables/variables.data-00000-of-00001").stat().st_size)
    )
    before = executions(place.root)
    done, summary = place.run()
    assert (done.exit_code, summary) == (2, None)
    assert done.output.splitlines()[-1] == (
        f"fullbake: push.serving_dir: {copy}, the model in production, has another "
        "variables/variables.data-00000-of-00001 than was pushed, so a new model cannot be compared with it; repair it "
        f"or move it away, go back with: fullbake rollback {place.serving}, or go on without it with "
        "gate.accept_baseline_loss: true"
    )
    assert executions(place.root) == before
    # It may go on all the same: compared with the newest that can be, and pushed anew.
    done, summary = place.run("--set", "gate.accept_baseline_loss=true")
    assert done.exit_code == 0
    assert summary["metrics"]["baseline"]["model"] == str(back)
    assert "it was not compared" in summary["baseline_note"]
    assert summary["model"] == str(place.newest) != str(copy)
    assert fault(summary["model"]) is None
    assert executions(place.root)["Trainer", "COMPLETE"] == 1

    listed = fullbake("models", place.serving).output.splitlines()
    rows = {line.split()[0]: line for line in listed if line.split() and line.split()[0].isdigit()}
    assert list(rows) == sorted((path.name for path in place.serving.iterdir() if path.name.isdigit()), reverse=True)
    assert rows[place.newest.name].rstrip().endswith("serves")
    assert "cannot be used" not in rows[pushed.name]
    shutil.rmtree(place.serving)
    assert fullbake("models", tmp_path).exit_code == 2


@pytest.mark.parametrize("gate", [{"min_recall": {}, "allow_no_bounds": False}])
def test_a_config_without_a_bound_is_refused_before_anything_is_done(fullbake, base: Path, tmp_path: Path, gate):
    write_csv(tmp_path / "data/train.csv", ["id", "text", "label"], planted_rows()[:30])
    config = write_config(tmp_path, str(base), data={"label_map": {0: "kind", 1: "rude", 2: "plain"}}, gate=gate)
    done = fullbake("run", config, "--root", tmp_path / "out")
    assert done.exit_code == 2
    assert done.output.splitlines()[-1] == (
        "fullbake: gate.min_recall: no label has a bound, so any model would be pushed; give each label one, such as "
        "{plain: 0.6}, or set gate.allow_no_bounds to true"
    )
    assert not (tmp_path / "out").exists()

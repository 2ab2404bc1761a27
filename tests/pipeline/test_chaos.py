"""Three of the moments of `make chaos`, and both signals that ask a run to stop."""

import signal

import pytest

from tests.pipeline.chaos import Moment, Runs
from tests.warm import WarmProcess


@pytest.fixture(scope="module")
def runs(warm: WarmProcess, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Runs of a two-layer encoder with dropout that is fine-tuned, the undisturbed one among them."""
    runs = Runs(
        tmp_path_factory.mktemp("chaos"),
        warm,
        training={"epochs": 2, "learning_rate": 3e-3},
    )
    code, said = runs.run("undisturbed")
    assert code == 0, said
    return runs


def test_a_run_that_is_ended_again_and_again_comes_to_what_an_undisturbed_one_comes_to(runs: Runs):
    counts = runs.counts("undisturbed")
    root = runs.folder / "ended"
    kept = f"finished components and epochs are kept in {root}; run the command again to go on from there"
    ends = [
        Moment("Transform", counts["Transform"] // 2, signal.SIGTERM),
        # In the second epoch, past the first one's checkpoint.
        Moment("Trainer", counts["Trainer"] // 2 + 4),
        Moment("Evaluator", counts["Evaluator"] // 2, signal.SIGINT),
    ]
    for moment in ends:
        code, said = runs.run("ended", moment)
        if moment.signal == signal.SIGKILL:
            assert code == -signal.SIGKILL
            assert [*runs.temporary.iterdir()] != []
        else:
            assert code == 128 + moment.signal
            assert said.splitlines()[-1] == f"fullbake: stopped by {signal.Signals(moment.signal).name}: {kept}"
            assert [*runs.temporary.iterdir()] == []
    code, said = runs.run("ended")
    assert code == 0, said
    assert runs.outcome("ended") == runs.outcome("undisturbed")
    assert [*runs.temporary.iterdir()] == []
    assert [*(root / "checkpoints").iterdir()] == []

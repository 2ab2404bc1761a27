"""The Evaluator with a model in production: what a new one is compared with, and when it is refused for that."""

from pathlib import Path

import pytest

from fullbake.components.nodes.evaluator import JUDGED_AGAINST
from fullbake.contract.errors import InputError
from tests.components.evaluating import CAREFUL, CARELESS, counted, evaluate_model, push
from tests.components.test_servable_check import save_keyword_model


@pytest.fixture(scope="module")
def evaluate(tmp_path_factory: pytest.TempPathFactory):
    """Evaluates a model artifact on rows."""
    return lambda *model, **settings: evaluate_model(tmp_path_factory.mktemp("evaluation"), *model, **settings)


@pytest.fixture(scope="module")
def careful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model artifact; the label it decides is the least probable one, as no real model's is."""
    folder = tmp_path_factory.mktemp("careful")
    save_keyword_model(folder / "Format-Serving", CAREFUL, sure=0.2)
    return folder


@pytest.fixture(scope="module")
def careless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("careless")
    save_keyword_model(folder / "Format-Serving", CARELESS)
    return folder


def test_a_model_that_recalls_less_than_the_one_in_production_is_refused(
    careful: Path, careless: Path, tmp_path: Path, evaluate
):
    production = push(tmp_path, 3, CAREFUL)
    push(tmp_path, 2, {"fine": "never", "rude": "never", "odd": "never"})
    verdict = evaluate(careless, tmp_path, min_recall={"rude": 0.6}, max_recall_drop=0.19)
    assert verdict.evaluation["baseline"] == {
        "model": str(production),
        "recall": counted(careful / "Format-Serving")[0],
    }
    assert verdict.evaluation["recall"]["rude"] == 0.8
    assert verdict.missed == [("recall_drop", "rude")]
    assert verdict.files == {"NOT_BLESSED"}


def test_a_model_that_recalls_more_than_the_one_in_production_passes(careful: Path, tmp_path: Path, evaluate):
    push(tmp_path, 1, CARELESS)
    verdict = evaluate(careful, tmp_path, max_recall_drop=0.0)
    drops = {bound["label"]: bound["value"] for bound in verdict.evaluation["bounds"]}
    assert drops == pytest.approx({"fine": 0.0, "rude": -0.2, "odd": 0.0})
    assert verdict.evaluation["baseline"]["recall"]["rude"] == 0.8
    assert verdict.evaluation["recall"]["rude"] == 1.0
    assert verdict.files == {"BLESSED"}


def test_a_model_in_production_with_other_labels_is_compared_by_those_that_both_have(
    careless: Path, tmp_path: Path, evaluate
):
    # In another order, without "odd", and with one that is not ours: what was "another task" and compared with nothing.
    production = push(tmp_path, 1, {"gone": "fool 1", "rude": "(idiot|fool)", "fine": "lovely"})
    verdict = evaluate(careless, tmp_path, max_recall_drop=0.1)
    recall, _, _ = counted(production, labels=("fine", "rude"))
    assert recall == {"fine": 1.0, "rude": 14 / 15}
    assert verdict.evaluation["baseline"] == {"model": str(production), "recall": recall}
    assert verdict.missed == [("recall_drop", "rude")]
    assert [bound["label"] for bound in verdict.evaluation["bounds"]] == ["fine", "rude"]
    assert verdict.evaluation["baseline_note"] == (
        "the model in production also decides 'gone', which the new one cannot; "
        "the model in production does not know 'odd', so nothing is compared there"
    )
    assert verdict.blessing.get_string_custom_property(JUDGED_AGAINST) == "1"


def test_a_model_in_production_that_does_not_open_stops_the_run_in_one_line_unless_that_is_accepted(
    careless: Path, tmp_path: Path, evaluate
):
    usable = push(tmp_path, 2, CAREFUL)
    (push(tmp_path, 3, CAREFUL) / "saved_model.pb").write_bytes(b"rubbish")
    with pytest.raises(InputError) as stopped:
        evaluate(careless, tmp_path, max_recall_drop=0.0)
    line = str(stopped.value)
    assert "\n" not in line
    assert line.startswith(f"serving_dir: {tmp_path}/3, the model in production, cannot be opened (")
    assert f"fullbake rollback {tmp_path}, or go on without it with accept_baseline_loss: true" in line

    verdict = evaluate(careless, tmp_path, max_recall_drop=0.0, accept_baseline_loss=True)
    assert verdict.evaluation["baseline"]["model"] == str(usable)
    assert verdict.missed == [("recall_drop", "rude")]
    note = verdict.evaluation["baseline_note"]
    assert note.startswith(f"the model in production ({tmp_path}/3) cannot be opened (")
    assert note.endswith("; it was not compared; 2 was compared with instead")
    assert verdict.blessing.get_string_custom_property(JUDGED_AGAINST) == "3"


def test_as_good_as_production_is_good_enough(careful: Path, tmp_path: Path, evaluate):
    production = push(tmp_path, 1, CAREFUL)
    verdict = evaluate(careful, tmp_path, max_recall_drop=0.0)
    recall = {"fine": 1.0, "rude": 1.0, "odd": 0.8}
    assert verdict.evaluation["baseline"] == {"model": str(production), "recall": recall}
    assert verdict.evaluation["baseline_note"] is None
    assert verdict.files == {"BLESSED"}

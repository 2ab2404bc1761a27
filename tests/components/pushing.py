"""Pushes of models that are none, for tests of the Pusher and of the folder of pushed models."""

import json
from pathlib import Path

from tfx.types import standard_artifacts

from fullbake.components.model_card.facts import CardSettings
from fullbake.components.nodes.evaluator import JUDGED_AGAINST
from fullbake.components.nodes.pusher import PusherExecutor
from fullbake.components.serving.making import NOTHING
from fullbake.components.serving.publishing import LOCK_FILE
from fullbake.contract.names import ABOUT_FILE, EVALUATION_FILE, HF_FOLDER, INGEST_FILE, PUSH_FILE, TRAINING_FILE
from fullbake.contract.results.training import Training
from tests.results import an_evaluation, an_ingest

FINGERPRINT = "split:*,num_files:1,total_bytes:7,xor_checksum:1,sum_checksum:1"
EVALUATION = an_evaluation(["grün", "rot"], precision={"grün": None, "rot": 0.5})


def make_model(folder: Path, files: int) -> Path:
    """Writes a model artifact; what its files hold is nothing to the Pusher."""
    saved = folder / "Format-Serving"
    for number in range(files):
        file = saved / "variables" / f"{number:03d}" / "shard"
        file.parent.mkdir(parents=True)
        file.write_bytes(bytes([number % 256]) * 5000)
    (saved / "saved_model.pb").write_bytes(b"graph")
    (saved / "variables/variables.index").write_bytes(b"index")
    (saved / "variables/variables.data-00000-of-00001").write_bytes(b"weights")
    (saved / ABOUT_FILE).parent.mkdir()
    (saved / ABOUT_FILE).write_text(json.dumps({"labels": ["grün", "rot"]}), encoding="utf-8")
    (folder / EVALUATION_FILE).write_text(EVALUATION.to_json(), encoding="utf-8")
    (folder / INGEST_FILE).write_text(an_ingest().to_json(), encoding="utf-8")
    (folder / TRAINING_FILE).write_text(Training().to_json(), encoding="utf-8")
    (saved / HF_FOLDER).mkdir()
    (saved / HF_FOLDER / "config.json").write_bytes(b"{}")
    return folder


def push(
    model: Path,
    serving: Path,
    *,
    blessed=1,
    serves=1,
    recipe="recipe",
    key=NOTHING,
    data=FINGERPRINT,
    judged_against=None,
    keep_versions=None,
    bounds=None,
):
    """Runs the Pusher and returns its artifact."""

    def artifact(kind, verdict=None):
        made = kind()
        made.uri = str(model)
        if verdict is not None:
            made.set_int_custom_property("blessed", verdict)
        return made

    examples = artifact(standard_artifacts.Examples)
    examples.set_string_custom_property("input_fingerprint", data)
    examples.set_int_custom_property("span", 3)
    blessing = artifact(standard_artifacts.ModelBlessing, blessed)
    if judged_against is not None:
        blessing.set_string_custom_property(JUDGED_AGAINST, judged_against)
    pushed = standard_artifacts.PushedModel()
    PusherExecutor().Do(
        {
            "evaluation": [artifact(standard_artifacts.ModelEvaluation)],
            "examples": [examples],
            "model": [artifact(standard_artifacts.Model)],
            "model_run": [artifact(standard_artifacts.ModelRun)],
            "model_blessing": [blessing],
            "infra_blessing": [artifact(standard_artifacts.InfraBlessing, serves)],
        },
        {"pushed_model": [pushed]},
        {
            **{"serving_dir": str(serving), "recipe": recipe, "baseline_key": key},
            **{"keep_versions": keep_versions, "bounds": bounds},
            "card": json.dumps(CardSettings("rüde words", 64, "head").to_dict()),
        },
    )
    return pushed


def where(pushed) -> str:
    return pushed.get_string_custom_property("pushed_destination")


def place(serving: Path, version: int | str, *, recipe: str | None = None, key: str = NOTHING) -> str:
    """Puts a version there by hand."""
    folder = serving / str(version)
    (folder / PUSH_FILE).parent.mkdir(parents=True)
    (folder / "saved_model.pb").touch()
    if recipe is not None:
        (folder / PUSH_FILE).write_text(json.dumps({"recipe": recipe, "production_key": key}))
    return str(folder)


def shown(serving: Path) -> set[str]:
    """What is there, but for the lock."""
    return {path.name for path in serving.iterdir()} - {LOCK_FILE}


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}

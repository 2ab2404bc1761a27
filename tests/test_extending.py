"""The checklists of docs/extending.md against the code."""

import re
from pathlib import Path

import pytest

from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.graph import create_components
from fullbake.pipeline.outline import Places
from fullbake.trainer.approaches import APPROACHES, HEAD_ONLY, Approach, Phase
from tests.pipeline.golden import KINDS
from tests.pipeline.planted import write_config

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([\w/]+(?:/|\.py|\.md))(?:::(\w+))?`", TEXT)


@pytest.mark.parametrize(("path", "test"), NAMED)
def test_what_a_checklist_names_is_there(path: str, test: str):
    assert (ROOT / path).exists()
    assert not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8")


def test_every_checklist_names_a_test():
    for section in TEXT.split("\n## ")[1:]:
        assert re.search(r"`tests/[\w/]+\.py", section), section.splitlines()[0]


def test_a_row_of_the_table_is_all_that_a_config_and_the_graph_need_of_an_approach(tmp_path: Path, monkeypatch):
    monkeypatch.setitem(APPROACHES, "head_twice", Approach("head_twice", "linear", (Phase(HEAD_ONLY, 0.02),) * 2))
    file = write_config(
        tmp_path, "no-base", data={}, model={"approach": "head_twice"}, training={"learning_rate": None}
    )
    components = create_components(load_config(file), Places("root", "serving", None, None), "production")
    (trainer,) = [component for component in components if component.id == "Trainer"]
    assert '"learning_rate": 0.02' in trainer.exec_properties["custom_config"]


def test_the_readme_names_every_approach():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(APPROACHES) <= set(re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE))


def test_every_approach_has_a_golden_run():
    assert set(APPROACHES) <= set(KINDS)

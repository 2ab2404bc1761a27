"""The notebook of the documentation runs, in a folder that has nothing but the sample data."""

import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "docs/notebook.ipynb"


def shown(notebook: Any) -> list[str]:
    """What each code cell shows, as text."""
    return [
        "".join(
            output.get("text", "") or output["data"]["text/plain"]
            for output in cell.outputs
            if output.output_type != "display_data"  # Beam's scripts for tables of its own
        )
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("notebook")
    shutil.copytree(ROOT / "data/sample", folder / "data/sample")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(
        notebook, timeout=1200, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return folder, shown(notebook)


def test_it_pushes_a_model_that_labels_texts_and_is_judged(executed: tuple[Path, list[str]]):
    folder, (ran, measured, one, table, judged, wrong) = executed
    assert ran == "(True, ())"
    assert all(word in measured for word in ("recall", "precision", "f1", "non_toxic", "toxic"))
    assert "non_toxic" in one
    assert "you are an idiot" in table
    assert "was trained on comments.csv" in judged
    assert "of 734 are wrong" in wrong
    assert (folder / "judged/report.html").is_file()


def test_what_is_committed_is_small_and_of_no_machine():
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text) < 30_000
    outputs = shown(nbformat.read(NOTEBOOK, as_version=4))
    assert len(outputs) == 6
    assert all(outputs)
    assert not any(re.search(r"(?:^|[\s'(])/\w+/", output) for output in outputs), "an absolute path"

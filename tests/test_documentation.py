import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from docs.config_reference import reference, section_in
from docs.generate import PAGES
from docs.message_list import messages
from fullbake.command_line.main import main
from fullbake.pipeline.config.config import Config

ROOT = Path(__file__).parents[1]
WRITTEN = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def fullbake_commands(text: str) -> list[str]:
    """The lines of a page's code blocks that begin with fullbake, those that end in a backslash joined."""
    blocks = re.findall(r"^```(?:console|sh|bash|shell)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.replace("\\\n", " ").split("\n")]
    return [line for line in lines if re.match(r"(\.venv/bin/)?fullbake ", line)]


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_that_are_made_of_the_code_are_those_that_it_makes_now(page):
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == PAGES[page](), "run: make pages"


def test_every_key_of_the_config_has_a_description():
    assert "None" not in reference()
    assert all(field.description for section in Config.model_fields.values() for field in fields_in(section))


def fields_in(field):
    section = section_in(field.annotation)
    return [field] if section is None else [below for one in section.model_fields.values() for below in fields_in(one)]


def test_the_list_of_messages_has_those_of_every_module_that_raises_one():
    listed = [message.text for message in messages()]
    assert len(listed) == len(set(listed)) > 300
    assert "model.base: there is no folder …; name the folder that holds the model" in listed
    assert "labels: at least two are needed" in listed  # checked by pydantic
    assert any(
        text.startswith("…: it is for --wait") or text.startswith("--timeout: it is for --wait") for text in listed
    )


@pytest.mark.parametrize("file", WRITTEN, ids=lambda file: file.name)
def test_every_command_that_a_page_names_is_one_that_fullbake_takes(file):
    for line in fullbake_commands(file.read_text(encoding="utf-8")):
        words = shlex.split(line, comments=True)[1:]
        words = words[: next((at for at, word in enumerate(words) if word in ("|", ">", "&", "&&")), len(words))]
        command = main.commands[words[0]]
        try:
            command.make_context(words[0], words[1:])
        except click.exceptions.Exit:
            pass  # --help
        except click.ClickException as error:
            pytest.fail(f"{line}: {error.format_message()}")


def test_the_site_is_built_without_a_warning_and_links_every_page(tmp_path):
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "docs", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    pages = {file.with_suffix(".html").name for file in (ROOT / "docs").glob("*.md")} - {"index.html"}
    assert {page for page in pages if f'href="{page}' not in index} == set()

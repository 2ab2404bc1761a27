"""The list of every message with which a command ends, taken from the code that raises it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from fullbake.command_line.options import OPTION_NAMES
from fullbake.components.serving.pushed_models import MODEL
from fullbake.pipeline.config.config_keys import CONFIG_KEYS

ROOT = Path(__file__).parent.parent

THEMES = {
    "The config": ["pipeline/config", "contract"],
    "Before a run starts": [
        "pipeline/preflight.py",
        "pipeline/disk.py",
        "pipeline/output_root.py",
        "pipeline/store.py",
    ],
    "Making a config": ["pipeline/first_config", "pipeline/data_survey.py"],
    "Reading files": ["components/data"],
    "Base models and tokenizers": ["trainer/encoder", "components/tokenizer", "pipeline/token_survey.py"],
    "Training": ["trainer"],
    "The gate, production and pushed models": ["components/evaluation", "components/serving", "components/nodes"],
    "Labelling texts": ["pipeline/prediction"],
    "Comparing approaches": ["pipeline/comparison"],
    "A cluster": ["kubeflow"],
    "Commands": ["command_line", "pipeline", "components"],
}
"""By heading, the files whose messages are below it; a file is below the first that has it."""

RAISED = {"InputError", "DivergedError", "WrongKindError", "UnavailableError"}
CONSTANTS = {"MODEL": OPTION_NAMES[MODEL], "ROOT": OPTION_NAMES["root"]}
"""By the name of a constant that stands for a setting of no config, what the command line calls it."""

CHECKED = "pipeline/config"
"""Where a ValueError is a message too: pydantic hands it on, and the line then begins with the key."""


class Message(NamedTuple):
    """A message.

    Attributes:
        text: It, with `…` where a value stands.
        theme: The heading that it is below.
    """

    text: str
    theme: str


def messages() -> list[Message]:
    """Returns every message that the code has, by theme and alphabet, each once."""
    themes: dict[str, str] = {}
    for theme, file in _files():
        for text in _texts(ast.parse(file.read_text(encoding="utf-8")), str(file.relative_to(ROOT))):
            themes.setdefault(text, theme)
    order = list(THEMES)
    found = [Message(text, theme) for text, theme in themes.items()]
    return sorted(found, key=lambda message: (order.index(message.theme), message.text.casefold(), message.text))


_HEADER = """<!-- Made by `make pages` of the code that raises them; change them there. -->
# Messages

Every line with which a command ends at exit code 2, by theme, and `…` where it names what it found. Each says what is
wrong, where, and what to do. What belongs to a config begins with the key.
"""


def message_page() -> str:
    """Returns the page as Markdown: a heading for each theme, and a line for each message."""
    lines: list[str] = []
    theme = ""
    for message in messages():
        if message.theme != theme:
            theme = message.theme
            lines += ["", f"## {theme}", ""]
        lines.append(f"- {_escaped(message.text)}")
    return _HEADER + "\n".join(lines) + "\n"


def _files() -> Iterator[tuple[str, Path]]:
    seen: set[Path] = set()
    for theme, places in THEMES.items():
        for place in places:
            path = ROOT / place
            for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
                if file not in seen:
                    seen.add(file)
                    yield theme, file


def _texts(tree: ast.AST, file: str) -> Iterator[str]:
    raised = RAISED | ({"ValueError"} if file.startswith(CHECKED) else set())
    for node in ast.walk(tree):
        if not (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in raised and node.args
        ):
            continue
        text = _template(node.args[0])
        if text is None or not text.strip("… "):
            continue  # a message that other lines make
        options = {word.arg: word.value for word in node.keywords}
        if options and node.func.id != "ValueError":
            text = re.sub(r"\{(\w+)[^}]*\}", lambda match: CONFIG_KEYS.get(match[1], "…"), text)
        field = options.get("field")
        if isinstance(field, ast.Constant):
            text = f"{CONFIG_KEYS.get(field.value, field.value)}: {text}"
        elif isinstance(field, ast.Name) and field.id in CONSTANTS:
            text = f"{CONSTANTS[field.id]}: {text}"
        elif field is not None:
            text = f"…: {text}"
        yield " ".join(re.sub(r"…+", "…", text).split())


def _template(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _template(node.func.value)  # such as a text.rstrip()
    return None


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_<>\[\]{}|#$])", r"\\\1", text)

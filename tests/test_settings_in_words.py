"""Only the config layer knows config keys: below it, settings have names of their own (see `contract.errors`)."""

import ast
import itertools
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from fullbake.contract.errors import DivergedError, InputError
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.config.config_keys import CONFIG_KEYS
from fullbake.pipeline.config.config_section import Section

ROOT = Path(__file__).parents[1]
FLOORS = ("trainer", "components")
SECTIONS = {
    name: field.annotation
    for name, field in Config.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
}
KEY = re.compile(
    r"\b(" + "|".join(rf"{section}\.{key}" for section, of in SECTIONS.items() for key in of.model_fields) + r")\b"
)
ERRORS = {error.__name__ for error in (InputError, DivergedError)}

NAMES_IN_CACHE_KEYS = {
    ("trainer/encoder/base_model.py", "model.base"),
    ("components/data/data_folders.py", "data.input_base"),
    ("components/data/data_folders.py", "data.test_base"),
    ("components/data/data_folders.py", "pretraining.corpus_base"),
}
"""They look like config keys, and nobody reads them as such; another name would cost existing runs their caches."""

FOLDERS = ("input_base", "test_base", "corpus_base")
COLUMNS = ("text_column", "text_pair_column", "label_column", "label_columns", "votes", "id_column")
LABELS_FILES = ("labels_file", "test_labels_file")
STANDS_FOR = {
    "section": ("training", "pretraining"),
    "key": ("max_label_drift", "max_length_drift", *COLUMNS),
    "source": (*FOLDERS, *LABELS_FILES),
    "setting": ("input_base", *LABELS_FILES),
    "where": (*FOLDERS, *LABELS_FILES, *COLUMNS),
    "wanted": ("{column!r}", *(f"{{column!r}} ({{{column}}})" for column in COLUMNS)),
}
"""By the name of a variable in an error's field, or in a message, what it may be."""


def trees(*floors: str) -> Iterator[tuple[str, ast.Module]]:
    for floor in floors:
        for file in sorted((ROOT / floor).rglob("*.py")):
            yield str(file.relative_to(ROOT)), ast.parse(file.read_text(encoding="utf-8"))


def errors(floor: str) -> Iterator[tuple[str, ast.Call]]:
    """Yields each making of an InputError that is about a setting or has values, and where it is."""
    for file, tree in trees(floor):
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ERRORS
                and node.keywords
            ):
                yield f"{file}:{node.lineno}", node


def texts(node: ast.expr) -> list[str]:
    """Returns all that a string can be: a literal, a variable that is known, or a literal with one in it."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr):
        return ["".join(parts) for parts in itertools.product(*map(texts, node.values))]
    if isinstance(node, ast.FormattedValue):
        return texts(node.value)
    assert isinstance(node, ast.Name), f"a text with a field or values must be a literal: {ast.unparse(node)}"
    return list(STANDS_FOR[node.id])


@pytest.mark.parametrize("floor", FLOORS)
def test_no_text_of_a_lower_floor_has_a_config_key_in_it(floor: str):
    found = {
        (file, node.value)
        for file, tree in trees(floor)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and KEY.search(node.value)
    }
    assert found == {(file, name) for file, name in NAMES_IN_CACHE_KEYS if file.startswith(f"{floor}/")}


@pytest.mark.parametrize("floor", FLOORS)
def test_the_setting_that_an_error_is_about_has_a_config_key(floor: str):
    fields = {
        name: where
        for where, error in errors(floor)
        for keyword in error.keywords
        if keyword.arg == "field"
        for name in texts(keyword.value)
    }
    assert fields
    assert {name: where for name, where in fields.items() if name not in CONFIG_KEYS} == {}


@pytest.mark.parametrize("floor", FLOORS)
def test_what_an_error_puts_into_its_text_is_a_value_or_a_setting_with_a_config_key(floor: str):
    for where, error in errors(floor):
        values = {str(keyword.arg) for keyword in error.keywords} - {"field"}
        for message in texts(error.args[0]):
            named = {name for _, name, _, _ in string.Formatter().parse(message) if name is not None}
            assert values <= named, f"{where}: {values - named} is not in the text"
            assert named - values <= {*CONFIG_KEYS}, f"{where}: {named - values}"

import dataclasses
import json

import pytest

from fullbake.components.data.dialect import NUMBERED, Dialect
from fullbake.contract.errors import InputError


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"encoding": "utf-88"}, "encoding: 'utf-88' is not a text encoding"),
        ({"encoding": "hex"}, "encoding: 'hex' is not a text encoding"),
        ({"delimiter": ""}, "delimiter: '' cannot stand between fields"),
        ({"delimiter": '"'}, "delimiter: '\"' cannot stand between fields"),
        (
            {"delimiter": "\\t"},
            "delimiter: '\\\\t' cannot stand between fields, for it is empty or has a ",
        ),
        ({"delimiter": "a\nb"}, "delimiter: 'a\\nb' cannot stand between fields"),
        ({"quoting": "all"}, "quoting: 'all' is not one of auto, standard, none"),
        ({"short_rows": "drop"}, "short_rows: 'drop' is not one of reject, fill"),
        ({"quote_character": ","}, "delimiter: ',' cannot stand between fields"),
        ({"quote_character": "''"}, "quote_character: \"''\" is not one character"),
        ({"quote_character": " "}, "quote_character: ' ' is not one character"),
        ({"escape_character": '"'}, "escape_character: '\"' is not one character with no other meaning"),
        ({"escape_character": ""}, "escape_character: '' is not one character"),
        ({"line_pattern": "(?P<text"}, "line_pattern: '(?P<text' is no regular expression: "),
        ({"line_pattern": "(.*)@(.*)"}, "line_pattern: '(.*)@(.*)' names no group; name one for each column"),
    ],
)
def test_a_dialect_no_file_can_have_is_refused_when_it_is_made(setting, message):
    with pytest.raises(InputError) as error:
        Dialect(**setting)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("columns", [None, NUMBERED, ("text", "_", "label")])
def test_a_dialect_survives_a_trip_through_json(columns):
    dialect = Dialect("::", "cp1252", "none", "'", "\\", True, "#", "fill", True, columns)
    assert Dialect.from_dict(json.loads(json.dumps(dataclasses.asdict(dialect)))) == dialect

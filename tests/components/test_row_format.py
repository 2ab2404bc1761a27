import json

import pytest

from fullbake.components.data.dialect import Dialect
from fullbake.components.data.row_format import RowFormat
from fullbake.contract.errors import InputError


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            {"label_threshold": 0.5, "label_map": {"1": "good"}},
            "label_threshold: it makes two classes of numbers: give",
        ),
        ({"label_threshold": 0.5, "labels": ("a", "b", "c")}, "label_threshold: it makes two classes of numbers: give"),
        ({"label_map": {"1": "goood"}}, "label_map: '1' maps to 'goood', which is not in labels; did you"),
    ],
)
def test_a_format_no_file_can_have_is_refused_when_it_is_made(setting, message):
    with pytest.raises(InputError) as error:
        RowFormat(**{"text_column": "text", "label_column": "label", "labels": ("good", "bad"), **setting})
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_format_survives_a_trip_through_json():
    fmt = RowFormat(
        "text", "label", ("a", "b"), "other", {"0": "a"}, Dialect("\t", "utf-16", columns=("text", "_", "label"))
    )
    assert RowFormat.from_dict(json.loads(json.dumps(fmt.to_dict()))) == fmt

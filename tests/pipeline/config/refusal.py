"""The least that a config says, and what is said of one that is refused."""

import pytest

from fullbake.contract.errors import InputError

MINIMAL = {"name": "small", "data": {"input_base": "texts", "labels": ["good", "bad"]}}


def refusal(load, *arguments: str) -> str:
    with pytest.raises(InputError) as caught:
        load(*arguments)
    message = str(caught.value)
    assert "\n" not in message
    return message

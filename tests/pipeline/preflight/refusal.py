"""Rows that the preflight takes, and what it says of what it refuses."""

import pytest

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config_keys import CONFIG_KEYS

FURTHER = {"approach": "further_pretrain"}
ROWS = "text,label\nyou are kind,good\nyou are bad,bad\n"


def refusal(check, **values) -> str:
    with pytest.raises(InputError) as caught:
        check(**values)
    message = caught.value.text(CONFIG_KEYS)
    assert "\n" not in message
    return message

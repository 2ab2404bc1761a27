import pytest

from fullbake.contract.setting_names import setting_names, settings_named


def test_a_setting_is_called_what_the_caller_calls_it_and_else_by_its_name():
    assert setting_names()["base"] == "base"
    with settings_named({"base": "model.base"}):
        assert setting_names()["base"] == "model.base"
        assert setting_names()["head"] == "head"
    assert setting_names()["base"] == "base"


def test_names_are_forgotten_when_a_stage_fails():
    with pytest.raises(OSError, match="no disk"), settings_named({"base": "model.base"}):
        raise OSError("no disk")
    assert setting_names()["base"] == "base"

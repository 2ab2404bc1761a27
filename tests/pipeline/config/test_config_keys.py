import pytest

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.config.config_keys import CONFIG_KEYS


@pytest.mark.parametrize(
    ("field", "key"),
    [
        ("base", "model.base"),
        ("serving_dir", "push.serving_dir"),
        ("learning_rate", "training.learning_rate"),
        ("training_learning_rate", "training.learning_rate"),
        ("pretraining_learning_rate", "pretraining.learning_rate"),
    ],
)
def test_an_error_about_a_setting_names_the_key_of_the_config(field: str, key: str):
    assert InputError("is wrong", field=field).text(CONFIG_KEYS) == f"{key}: is wrong"


def test_every_key_is_one_of_the_config():
    for key in CONFIG_KEYS.values():
        section, _, name = key.partition(".")
        assert name in Config.model_fields[section].annotation.model_fields


def test_every_key_can_be_named_and_no_name_with_its_section_is_another_bare_one():
    keys = {
        f"{section}_{name}": f"{section}.{name}"
        for section, field in Config.model_fields.items()
        for name in getattr(field.annotation, "model_fields", {})
    }
    assert {name: CONFIG_KEYS[name] for name in keys} == keys
    assert {key.partition(".")[2] for key in keys.values()} == CONFIG_KEYS.keys() - keys.keys()

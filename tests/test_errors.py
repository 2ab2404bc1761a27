import json
import pickle

from fullbake.contract.errors import DivergedError, InputError

KEYS = {"base": "model.base", "vectors": "training.frozen_vectors"}


def test_an_error_about_a_setting_names_its_key_to_those_who_know_the_config():
    error = InputError("{folder} has no room; set {vectors} to float16", field="base", folder="a/{x}")
    assert error.text(KEYS) == "model.base: a/{x} has no room; set training.frozen_vectors to float16"
    assert str(error) == "base: a/{x} has no room; set vectors to float16"


def test_a_line_with_values_may_name_settings_on_the_way():
    error = InputError("{folder} has no room; set {vectors} to float16", folder="a/{x}")
    assert error.text(KEYS) == "a/{x} has no room; set training.frozen_vectors to float16"


def test_a_line_about_no_setting_and_without_values_stays_as_it_is():
    assert InputError("span-{SPAN}: {no}").text(KEYS) == "span-{SPAN}: {no}"


def test_an_error_comes_whole_out_of_json():
    error = InputError("{folder} has no room; set {vectors} to float16", field="base", folder="a/{x}")
    again = InputError.from_dict(json.loads(json.dumps(error.to_dict())))
    assert again.text(KEYS) == error.text(KEYS)


def test_an_error_comes_whole_out_of_another_process():
    error = pickle.loads(pickle.dumps(DivergedError("at {rate:g}", field="base", rate=0.5)))  # noqa: S301 (ours)
    assert isinstance(error, DivergedError)
    assert error.text(KEYS) == "model.base: at 0.5"

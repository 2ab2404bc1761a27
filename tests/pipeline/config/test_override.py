import pytest
import yaml

from tests.pipeline.config.refusal import MINIMAL, refusal


def test_overrides_win_over_the_file_and_are_read_as_yaml(load):
    config = load(
        yaml.safe_dump({**MINIMAL, "training": {"epochs": 9, "batch_size": 4, "early_stopping_patience": 2}}),
        "training.epochs=2",
        "training.learning_rate=1e-4",
        "training.early_stopping_patience=null",
        "data.labels=[bad, good]",
        "data.split={train: 6, eval: 2, test: 2}",
        "gate.min_recall.bad=0.7",
        "gate.min_recall.good=1",
        "data.text_column=a=b",
        'data.delimiter="\\t"',
        "push.serving_dir=",
    )
    assert (config.training.epochs, config.training.batch_size) == (2, 4)
    assert config.training.learning_rate == 1e-4
    assert config.training.early_stopping_patience is None
    assert config.data.labels == ("bad", "good")
    assert config.data.split == {"train": 6, "eval": 2, "test": 2}
    assert config.gate.min_recall == {"bad": 0.7, "good": 1.0}
    assert config.data.text_column == "a=b"
    assert config.data.delimiter == "\t"
    assert config.push.serving_dir is None


def test_a_later_override_wins_over_an_earlier_one(load):
    assert load(yaml.safe_dump(MINIMAL), "training={epochs: 1, seed: 5}", "training.epochs=2").training.epochs == 2


@pytest.mark.parametrize("override", ["training", "=3", "training.=3", ".epochs=3"])
def test_an_override_without_key_or_value_is_told_how_to_write_it(load, override: str):
    message = refusal(load, yaml.safe_dump(MINIMAL), override)
    assert message == f"--set {override}: write it as key.path=value, such as --set training.epochs=2"


def test_an_override_below_a_value_is_refused(load):
    message = refusal(load, yaml.safe_dump(MINIMAL), "name.first=a")
    assert message == "--set name.first=a: name is a value, not a section; set it as a whole: --set name=..."
    message = refusal(load, yaml.safe_dump(MINIMAL), "data.labels.0=a")
    assert message.startswith("--set data.labels.0=a: data.labels is a list, not a section; set it as a whole: ")
    message = refusal(load, yaml.safe_dump({**MINIMAL, "gate": [1]}), "gate.min_recall.bad=0.5")
    assert message == "--set gate.min_recall.bad=0.5: gate is a value, not a section"


def test_an_override_that_is_not_yaml_is_refused(load):
    assert "--set data.labels=[a, line 1: not valid YAML" in refusal(load, yaml.safe_dump(MINIMAL), "data.labels=[a")


TEXTS = ["*", "@x", "~/x", ";", "|", ">", "-", "?", ":", "#", "%x", "`", "!", "&a", "[", "[x]/data", "{SPAN}/*", "a: b"]
TEXTS += ["a #b", "5", "yes", "1.50", "'", '"', 'a "b"', "a,b", " ", "\t", "a=b", "größe 👋"]


@pytest.mark.parametrize("text", TEXTS)
def test_text_given_with_set_is_taken_as_it_stands(load, text: str):
    assert load(yaml.safe_dump(MINIMAL), f"data.pattern={text}").data.pattern == text
    assert load(yaml.safe_dump(MINIMAL), f"data.text_column={text}").data.text_column == text
    assert load(yaml.safe_dump(MINIMAL), f"kubeflow.env.A={text}").kubeflow.env == {"A": text}
    if len(text) == 1:
        assert load(yaml.safe_dump(MINIMAL), f"data.delimiter={text}").data.delimiter == text


@pytest.mark.parametrize(
    "key", ["data.input_base", "data.test_base", "model.base", "pretraining.corpus_base", "push.serving_dir"]
)
def test_a_tilde_is_the_home_folder_where_a_place_is_named(load, monkeypatch: pytest.MonkeyPatch, key: str):
    monkeypatch.setenv("HOME", "/home/me")
    section, name = key.split(".")
    split = ["data.split={train: 8, eval: 2}"] if name == "test_base" else []
    for given, meant in (("~/x", "/home/me/x"), ("~/", "/home/me/"), ("x~/~", "x~/~"), ("gs://b/~x", "gs://b/~x")):
        config = load(yaml.safe_dump(MINIMAL), f"{key}={given}", *split)
        assert getattr(getattr(config, section), name) == meant


def test_text_given_with_set_may_be_quoted_and_a_key_may_have_dots(load):
    config = load(
        yaml.safe_dump({**MINIMAL, "gate": None}),
        "data.text_column='null'",
        'data.pattern="a\\tb"',
        "kubeflow.node_selector.kubernetes.io/hostname=node-1",
        "gate.min_recall.good=.5",
        "kubeflow.resources.Trainer.cpu=4",
    )
    assert (config.data.text_column, config.data.pattern) == ("null", "a\tb")
    assert config.kubeflow.node_selector == {"kubernetes.io/hostname": "node-1"}
    assert config.kubeflow.resources["Trainer"].cpu == 4
    config = load(yaml.safe_dump(MINIMAL), "data.labels=[a.b, c]", "gate.min_recall.a.b=0.5")
    assert config.gate.min_recall == {"a.b": 0.5}

import time
from pathlib import Path

import pytest
import yaml

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.config.loading import load_config

BOMB = "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
MINIMAL = {"name": "small", "data": {"input_base": "texts", "labels": ["good", "bad"]}}


@pytest.fixture
def load(tmp_path: Path):
    """Writes a config and loads it."""

    def make(text: str = yaml.safe_dump(MINIMAL), *overrides: str) -> Config:
        (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
        return load_config(tmp_path / "config.yaml", overrides)

    return make


def refusal(load, *arguments: str) -> str:
    with pytest.raises(InputError) as caught:
        load(*arguments)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("approach", "pooling", "head"),
    [("fine_tune", "cls", "hf"), ("fine_tune", "mean", "linear"), ("frozen", "mean", "mlp")],
)
def test_a_head_of_hugging_faces_gives_way_to_pooling(load, approach, pooling, head):
    config = load(yaml.safe_dump(MINIMAL), f"model.approach={approach}", f"model.pooling={pooling}")
    assert config.head == head


def test_what_a_config_leaves_out_has_the_documented_default(load):
    values = load().model_dump(mode="json")
    assert values == {
        "name": "small",
        "data": {
            "input_base": "texts",
            "pattern": "*",
            "window": 1,
            "max_label_drift": None,
            "max_length_drift": None,
            "text_column": "text",
            "text_pair_column": None,
            "label_column": "label",
            "labels": ["good", "bad"],
            "label_map": {},
            "delimiter": ",",
            "encoding": "utf-8",
            "quoting": "auto",
            "on_bad_row": "fail",
            "max_bad_fraction": 0.01,
            "on_duplicate": "keep",
            "on_conflict": "keep",
            "split": {"train": 8, "eval": 1, "test": 1},
            "test_base": None,
        },
        "model": {
            "base": "distilbert-base-uncased",
            "revision": None,
            "approach": "fine_tune",
            "head": None,
            "pooling": "cls",
            "max_length": 512,
            "truncation": "head",
        },
        "training": {
            "batch_size": 16,
            "gradient_accumulation_steps": 1,
            "epochs": 3,
            "learning_rate": None,
            "head_learning_rate": None,
            "layer_decay": 1.0,
            "unfreeze_layers_per_epoch": None,
            "warmup_fraction": 0.1,
            "weight_decay": 0.01,
            "class_weights": "none",
            "early_stopping_patience": None,
            "frozen_vectors": "float32",
            "seed": 0,
            "mixed_precision": "auto",
            "distribution": "auto",
        },
        "pretraining": {
            "epochs": 3,
            "learning_rate": 5e-5,
            "batch_size": 32,
            "gradient_accumulation_steps": 1,
            "mask_probability": 0.15,
            "whole_word": False,
            "next_sentence": False,
            "corpus_base": None,
        },
        "tuning": {"learning_rates": []},
        "gate": {
            "min_recall": {},
            "min_precision": {},
            "confidence": None,
            "allow_no_bounds": False,
            "allow_never_predicted": [],
            "max_recall_drop": 0.02,
            "accept_baseline_loss": False,
            "decision_threshold": None,
        },
        "push": {"serving_dir": None, "keep_versions": None},
        "beam": {"args": []},
        "kubeflow": {
            "image": None,
            "namespace": "kubeflow",
            "pipeline_root": None,
            "service_account": None,
            "image_pull_secret": None,
            "image_pull_policy": None,
            "resources": {},
            "env": {},
            "secret_env": {},
            "secret_mounts": [],
            "volume": None,
            "node_selector": {},
            "tolerations": [],
            "node_affinity": [],
            "security_context": {"run_as_user": None, "run_as_group": None, "run_as_non_root": False},
            "pod_labels": {},
            "pod_annotations": {},
            "retries": 0,
            "timeout_minutes": None,
            "notify": None,
            "schedule": {"cron": None, "max_concurrency": 1},
        },
    }


@pytest.mark.parametrize(
    ("approach", "head", "rate"),
    [
        ("further_pretrain", "linear", 5e-5),
        ("fine_tune", "hf", 5e-5),
        ("frozen", "mlp", 1e-2),
        ("probe_then_fine_tune", "linear", 5e-5),
    ],
)
def test_head_and_rate_are_the_approachs_own_unless_given(load, approach: str, head: str, rate: float):
    config = load(yaml.safe_dump(MINIMAL), f"model.approach={approach}")
    assert (config.head, config.learning_rate) == (head, rate)
    config = load(
        yaml.safe_dump(MINIMAL), f"model.approach={approach}", "model.head=linear", "training.learning_rate=2e-5"
    )
    assert (config.head, config.learning_rate) == ("linear", 2e-5)


@pytest.mark.parametrize(
    ("override", "key", "value", "remedy"),
    [
        ("name=a/b", "name", "'a/b'", "should match"),
        ("name=", "name", "", "has no value; give it one"),
        ("data=5", "data", "5", "a section of keys belongs here"),
        ("model=null", "model", "None", "a section of keys belongs here"),
        ("data.input_base=null", "data.input_base", "", "has no value; give it one"),
        ("data.labels=null", "data.labels", "", "has no value; give it one"),
        ("data.labels=good", "data.labels", "'good'", "write it as [good]"),
        ("data.labels=[good]", "data.labels", "", "at least two are needed"),
        ("data.labels=[good, bad, good]", "data.labels", "'good'", "is listed twice"),
        ("data.labels=[no, bad]", "data.labels.0", "'no'", 'is a truth value to YAML; write it in quotes: "no"'),
        ("data.labels=[0.50, bad]", "data.labels.0", "0.50", 'write it in quotes: "0.50"'),
        ("data.labels=[' bad', good]", "data.labels", "' bad'", "can never be found"),
        ("data.labels=['', good]", "data.labels", "''", "can never be found"),
        ("training.epochs=yes", "training.epochs", "'yes'", "a number or quoted text belongs here"),
        ("data.label_map={g: goood}", "data.label_map", "'goood'", "did you mean 'good'?"),
        ("data.label_map=[good]", "data.label_map", "['good']", "a section of keys belongs here"),
        ("data.delimiter=;;", "data.delimiter", "';;'", "should have at most 1 character"),
        ('data.delimiter=""', "data.delimiter", "''", "should have at least 1 character"),
        ("data.on_bad_row=quarantin", "data.on_bad_row", "'quarantin'", "fail, quarantine; did you mean 'quarantine'?"),
        ("data.quoting=auto_", "data.quoting", "'auto_'", "auto, standard, none; did you mean 'auto'?"),
        ("data.on_conflict=drp", "data.on_conflict", "'drp'", "keep, drop, fail; did you mean 'drop'?"),
        ("data.max_bad_fraction=1.5", "data.max_bad_fraction", "1.5", "less than or equal to 1"),
        ("data.max_bad_fraction=.nan", "data.max_bad_fraction", ".nan", "should be a finite number"),
        ("data.split={train: 8, eval: 2}", "data.split", "train, eval", "one share for each of train, eval and test"),
        ("data.split={train: 8, eval: 1, dev: 1}", "data.split", "dev", "one share for each of train, eval and test"),
        (
            "data={input_base: a, labels: [a, b], pattern: 'v{VERSION}/s{SPAN}/*', window: 2}",
            "data.window",
            "2 spans are asked for",
            "write it with {SPAN} and without {VERSION}",
        ),
        ("data.max_label_drift=0.1", "data.max_label_drift", "pattern '*' numbers no spans", "write it with {SPAN}"),
        (
            "data={input_base: a, labels: [a, b], test_base: t, split: {train: 8, eval: 1, test: 1}}",
            "data.split",
            "names train, eval, test",
            "each of train and eval (data.test_base is the test set)",
        ),
        ("model={head: hf, pooling: mean}", "model.pooling", "head 'hf' has its own", "use linear or mlp"),
        ("model={approach: probe_then_fine_tune, head: hf}", "model.head", "'hf'", "use linear or mlp"),
        ("training.layer_decay=0", "training.layer_decay", "0", "greater than 0"),
        ("training.layer_decay=1.1", "training.layer_decay", "1.1", "less than or equal to 1"),
        ("training.head_learning_rate=0", "training.head_learning_rate", "0", "greater than 0"),
        (
            "training.unfreeze_layers_per_epoch=0",
            "training.unfreeze_layers_per_epoch",
            "0",
            "greater than or equal to 1",
        ),
        ("pretraining.epochs=true", "pretraining.epochs", "'true'", "a number or quoted text belongs here"),
        ("pretraining.whole_word=3", "pretraining.whole_word", "3", "valid boolean"),
        ("pretraining.mask_probability=1", "pretraining.mask_probability", "1", "less than 1"),
        ("tuning.learning_rates=[1e-4]", "tuning.learning_rates", "", "one rate is no search"),
        ("tuning.learning_rates=[1e-4, 0.0001]", "tuning.learning_rates", "0.0001", "name each once"),
        ("gate.decision_threshold=outo", "gate.decision_threshold", "'outo'", "neither auto nor a probability"),
        ("gate.decision_threshold=1.5", "gate.decision_threshold", "1.5", "neither auto nor a probability"),
        ("gate.decision_threshold=yes", "gate.decision_threshold", "'yes'", "truth value"),
        ("data.split.train=6", "data.split", "names train;", "one share for each"),
        ("data.split={train: 8, eval: 0, test: 1}", "data.split.eval", "0", "greater than or equal to 1"),
        ("data.split={train: 8, eval: 1.5, test: 1}", "data.split.eval", "1.5", "valid integer"),
        ("model.approach=fine-tune", "model.approach", "'fine-tune'", "did you mean 'fine_tune'?"),
        ("model.approach=7", "model.approach", "'7'", "is not an approach"),
        ("model.approach=null", "model.approach", "", "has no value; give it one"),
        ("model={approach: [frozen]}", "model.approach", "['frozen']", "is not text"),
        ("model={approach: {frozen: 1}}", "model.approach", "{'frozen': 1}", "is not text"),
        ("model={base: 5}", "model.base", "5", 'write it in quotes: "5"'),
        ("model.head=soft", "model.head", "'soft'", "linear, hf, mlp"),
        ("model.max_length=2", "model.max_length", "2", "greater than or equal to 3"),
        ("model.max_length=long", "model.max_length", "'long'", "valid integer"),
        ("model.truncation=tail", "model.truncation", "'tail'", "head, head_tail"),
        ("training.batch_size=0", "training.batch_size", "0", "greater than or equal to 1"),
        ("training.epochs=1.5", "training.epochs", "1.5", "valid integer"),
        ("training.epochs=", "training.epochs", "None", "valid integer"),
        ("training.learning_rate=0", "training.learning_rate", "0", "greater than 0"),
        ("training.learning_rate=.inf", "training.learning_rate", "inf", "finite number"),
        ("training.warmup_fraction=10", "training.warmup_fraction", "10", "less than or equal to 1"),
        ("training.weight_decay=-0.1", "training.weight_decay", "-0.1", "greater than or equal to 0"),
        ("training.class_weights=balance", "training.class_weights", "'balance'", "did you mean 'balanced'?"),
        ("training.early_stopping_patience=0", "training.early_stopping_patience", "0", "greater than or equal to 1"),
        ("training.seed=-1", "training.seed", "-1", "greater than or equal to 0"),
        ("training.seed=4294967296", "training.seed", "4294967296", "less than 4294967296"),
        ("training.mixed_precision=fp16", "training.mixed_precision", "'fp16'", "auto, float32, bfloat16, float16"),
        ("training.distribution=mirror", "training.distribution", "'mirror'", "did you mean 'mirrored'?"),
        ("gate.min_recall={goood: 0.5}", "gate.min_recall", "'goood'", "(good, bad); did you mean 'good'?"),
        ("gate.min_precision={fine: 0.5}", "gate.min_precision", "'fine'", "not in data.labels (good, bad)"),
        ("gate.min_recall={good: 80}", "gate.min_recall.good", "80", "less than or equal to 1"),
        ("gate.confidence=1", "gate.confidence", "1", "less than 1"),
        ("gate.confidence=0", "gate.confidence", "0", "greater than 0"),
        ("gate.confidence=yes", "gate.confidence", "'yes'", "truth value"),
        ("gate.allow_no_bounds=perhaps", "gate.allow_no_bounds", "perhaps", "boolean"),
        ("gate.allow_never_predicted=[goood]", "gate.allow_never_predicted", "'goood'", "did you mean 'good'?"),
        ("push.keep_versions=0", "push.keep_versions", "0", "greater than or equal to 1"),
        ("gate.max_recall_drop=-0.1", "gate.max_recall_drop", "-0.1", "greater than or equal to 0"),
        ("beam.args=--runner=FlinkRunner", "beam.args", "'--runner=FlinkRunner'", "write it as [--runner=FlinkRunner]"),
    ],
)
def test_a_bad_value_is_told_with_file_key_value_and_remedy(load, override: str, key: str, value: str, remedy: str):
    message = refusal(load, yaml.safe_dump(MINIMAL), override)
    assert message.startswith(f"--set {override}: {key}: ")  # not the file's name: the value is not in the file
    assert value in message
    assert remedy in message


@pytest.mark.parametrize(
    ("overrides", "key", "remedy"),
    [
        (("model.approach=frozen", "model.head=hf"), "model.head", "approach 'frozen' freezes it; use linear or mlp"),
        (("data.text_pair_column=other", "model.truncation=head_tail"), "model.truncation", "use head, not head_tail"),
        (
            ("data.text_pair_column=other", "pretraining.next_sentence=true"),
            "pretraining.next_sentence",
            "the texts are pairs already",
        ),
        (("model.approach=frozen", "training.layer_decay=0.9"), "training.layer_decay", "set it to 1.0"),
        (("model.approach=frozen", "training.head_learning_rate=1"), "training.head_learning_rate", "set it to null"),
        (
            ("model.approach=frozen", "training.unfreeze_layers_per_epoch=1"),
            "training.unfreeze_layers_per_epoch",
            "trains the head alone; set it to null",
        ),
        (
            ("data.labels=[good, bad, ugly]", "gate.decision_threshold=0.3"),
            "gate.decision_threshold",
            "decides between two labels, and data.labels has 3",
        ),
        (("gate.decision_threshold=auto",), "gate.decision_threshold", "'bad' (the second label), which has no bound"),
    ],
)
def test_values_that_do_not_go_together_are_told_with_the_one_to_change(load, overrides, key: str, remedy: str):
    message = refusal(load, yaml.safe_dump(MINIMAL), *overrides)
    assert f": {key}: " in message
    assert remedy in message


@pytest.mark.parametrize(
    ("override", "key", "nearest"),
    [
        ("trainin.epochs=3", "trainin", "training"),
        ("data.text_colunm=body", "data.text_colunm", "text_column"),
        ("model.aproach=frozen", "model.aproach", "approach"),
        ("training.epoch=3", "training.epoch", "epochs"),
        ("gate.min_recal={good: 1}", "gate.min_recal", "min_recall"),
        ("push.serving_dri=x", "push.serving_dri", "serving_dir"),
        ("beam.arg=[x]", "beam.arg", "args"),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(load, override: str, key: str, nearest: str):
    message = refusal(load, yaml.safe_dump(MINIMAL), override)
    assert f"--set {override}: {key}: unknown key; did you mean {nearest!r}?; the keys here are " in message


def test_a_key_like_no_other_is_told_with_all_that_are_known(load):
    message = refusal(load, yaml.safe_dump(MINIMAL), "zzz=1")
    assert message.endswith("zzz: unknown key; the keys here are " + ", ".join(Config.model_fields))


@pytest.mark.parametrize(
    ("text", "missing"), [("name: small\n", "data"), ("data: {input_base: x, labels: [a, b]}", "name")]
)
def test_a_key_without_default_must_be_given(load, text: str, missing: str):
    assert refusal(load, text).endswith(f"config.yaml: {missing}: missing; give it a value")


def test_several_errors_are_told_at_once(load):
    message = refusal(load, yaml.safe_dump(MINIMAL), "training.epochs=0", "model.max_length=1")
    assert "training.epochs: 0 " in message
    assert "model.max_length: 1 " in message


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


@pytest.mark.parametrize("text", ["name: a\nname: b\n", "training:\n  epochs: 1\n  epochs: 2\n", "{a: {b: 1, 'b': 2}}"])
def test_a_key_that_stands_twice_is_refused_with_its_line(load, text: str):
    message = refusal(load, text)
    assert "stands twice" in message
    assert ", line " in message


def test_labels_and_mapped_values_may_be_whole_numbers_and_are_text(load):
    config = load("name: n\ndata: {input_base: d, labels: [0, 1]}\ngate: {min_recall: {0: 0.5}}\n")
    assert config.data.labels == ("0", "1")
    assert config.gate.min_recall == {"0": 0.5}
    config = load("name: n\ndata:\n  input_base: d\n  labels: [hate, neither]\n  label_map: {0: hate, 2: neither}\n")
    assert config.data.label_map == {"0": "hate", "2": "neither"}


@pytest.mark.parametrize(
    "value", ["!!python/object/apply:os.mkdir [{}]", "!!python/name:os.system", "!!python/tuple [1]"]
)
def test_yaml_never_builds_python_objects(load, tmp_path: Path, value: str):
    made = tmp_path / "made"
    assert "not valid YAML" in refusal(load, f"name: {value.format(made)}\n")
    refusal(load, yaml.safe_dump(MINIMAL), f"name={value.format(made)}")
    assert "not valid YAML" in refusal(load, yaml.safe_dump(MINIMAL), f"beam.args=[{value.format(made)}]")
    assert not made.exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty; make a config with: fullbake init data.csv"),
        ("# later\n", "is empty; make a config with: fullbake init data.csv"),
        ("- a", "a config is a mapping of keys to values"),
        ("a: b: c", "line 1: not valid YAML"),
        ("name: a\ndata:\n\tb: c", "line 3: not valid YAML: while scanning for the next token, found character '\\t'"),
        ("name:\n\ta", "write spaces in place of the tab"),
        ("name: a\n---\nname: b", "line 2: not valid YAML: expected a single document in the stream, but found"),
        ("{[a]: 1}", "line 1: not valid YAML: a key is one word, not a list or a mapping"),
        ("? {a: b}\n: c", "a key is one word, not a list or a mapping"),
        ("name: a\0", "line 1: not valid YAML: the character U+0000 may not stand in it"),
        ("name: *missing", "line 1: not valid YAML: found undefined alias 'missing'"),
        ("name: !!int abc", "line 1: not valid YAML: 'abc' is no int"),
        ("name: !!timestamp abc", "the tag !!timestamp has no place in a config"),
        ("name: !!binary '!'", "the tag !!binary has no place in a config"),
        ("name: a\n<<: 5", "line 2: not valid YAML: << needs a mapping, such as *name"),
        ("name: &a [*a]", "nested too deeply, or in itself"),
        ("name: " + "[" * 100_000, "nested too deeply"),
        ("- " * 100_000, "nested too deeply"),
        ("{a: " * 100_000, "nested too deeply"),
        ("a: &a [x, x, x, x, x, x, x, x, x, x]\n" + BOMB, "its anchors make more than 50,000 values of it"),
        ("labels:\n" + "- a\n" * 250_001, "more than 1,000,000 bytes is no config; make a config with: fullbake init"),
    ],
)
def test_a_file_that_is_no_config_is_refused_in_one_line(load, text: str, reason: str):
    assert reason in refusal(load, text)


@pytest.mark.parametrize(
    "content",
    [b"text,label\ngood day,good\n", b'text;label\n"a: ""b""";good\n', b"\x1f\x8b\x08\x00", b"a,b\n" * 300_000],
    ids=["commas", "semicolons", "gzip", "large"],
)
def test_data_given_as_a_config_is_recognised(tmp_path: Path, content: bytes):
    (tmp_path / "data.csv").write_bytes(content)
    started = time.monotonic()
    with pytest.raises(InputError) as caught:
        load_config(tmp_path / "data.csv")
    assert time.monotonic() - started < 2
    remedy = f"this looks like data; make a config of it with: fullbake init {tmp_path}/data.csv --output config.yaml"
    assert str(caught.value).endswith(f"; {remedy}")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_says_how_to_make_one(tmp_path: Path):
    with pytest.raises(InputError, match=r"none\.yaml: there is no such config file; make one with: fullbake init"):
        load_config(tmp_path / "none.yaml")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path):
    (tmp_path / "latin.yaml").write_bytes("# x\nname: caf\xe9".encode("latin-1"))
    (tmp_path / "windows.yaml").write_text("name: a", encoding="utf-16")
    for path, reason in (
        (tmp_path / "latin.yaml", r"latin.yaml, line 2: the config file cannot be read: it is not UTF-8; save it as"),
        (tmp_path / "windows.yaml", r"line 1: the config file cannot be read: it is not UTF-8"),
        (tmp_path, "is a folder; name the config file in it"),
        (tmp_path / "latin.yaml" / "x", "the config file cannot be read: Not a directory$"),
        (tmp_path / ("x" * 300), "the config file cannot be read: File name too long$"),
    ):
        with pytest.raises(InputError, match=reason):
            load_config(path)


def test_words_that_old_yaml_takes_for_dates_and_other_numbers_are_the_text_they_are(load):
    labels = ["2024-01-01", "010", "1:30", "1_000", "0x1F", "+5", "-0", "1e3", "9" * 5000, "2001-12-14t21:59:43Z"]
    text = "name: n\ndata: {input_base: 2024-01-01, labels: [" + ", ".join(labels) + "]}"
    config = load(text)
    assert (config.data.input_base, config.data.labels) == ("2024-01-01", tuple(labels))
    assert load(config.to_yaml()) == config


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("9" * 5000, "99' is too great a number"),
        ("-" + "9" * 90, "should be greater than or equal to 0"),
        ("1:30", "'1:30' should be a valid integer"),
        ("0x10", "'0x10' should be a valid integer"),
        ("2024-01-01", "'2024-01-01' should be a valid integer"),
    ],
)
def test_a_number_written_oddly_is_refused_in_one_short_line(load, value: str, reason: str):
    for arguments in (
        (yaml.safe_dump(MINIMAL), f"training.seed={value}"),
        (f"{yaml.safe_dump(MINIMAL)}training: {{seed: {value}}}",),
    ):
        message = refusal(load, *arguments)
        assert reason in message
        assert len(message) < 600


def test_keys_are_the_words_that_were_written(load):
    labels = "labels: ['yes', '010', '0.50']"
    label_map = "label_map: {no: 'yes', 2024-01-01: '010', 0.50: '0.50'}"
    config = load(f"name: n\ndata: {{input_base: d, {labels}, {label_map}}}")
    assert config.data.label_map == {"no": "yes", "2024-01-01": "010", "0.50": "0.50"}
    for key in ("1", "null", "no", "1.5", "''"):
        assert "unknown key" in refusal(load, f"{yaml.safe_dump(MINIMAL)}{key}: 2")


def test_anchors_and_merge_keys_work_and_tie_nothing_together(load):
    config = load(
        """
name: n
data: {input_base: d, labels: &labels [good, bad], label_map: {}}
gate: {min_recall: &bounds {good: 0.5, bad: 0.5}, min_precision: *bounds}
training: &rates {epochs: 2, batch_size: 4}
pretraining: {<<: *rates, epochs: 1}
""",
        "gate.min_recall.bad=0.9",
    )
    assert config.gate.min_recall == {"good": 0.5, "bad": 0.9}
    assert config.gate.min_precision == {"good": 0.5, "bad": 0.5}
    assert (config.pretraining.epochs, config.pretraining.batch_size) == (1, 4)


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


def test_an_error_is_blamed_on_what_gave_the_value(load):
    text = yaml.safe_dump({**MINIMAL, "training": {"epochs": 0}, "model": {"pooling": "mean"}})
    assert "config.yaml: training.epochs: 0 " in refusal(load, text, "training.batch_size=2")
    twice = refusal(load, text, "training.epochs=3", "training.epochs=-1")
    assert twice.startswith("--set training.epochs=-1: training.epochs: -1 ")
    text = yaml.safe_dump({**MINIMAL, "model": {"pooling": "mean"}})
    assert "config.yaml with --set model.head=hf: model.pooling: " in refusal(load, text, "model.head=hf")
    both = refusal(load, text, "model.pooling=cls", "training.epochs=zwei", "trainin.x=1")
    assert "--set training.epochs=zwei: training.epochs: 'zwei' should be" in both
    assert "--set trainin.x=1: trainin: unknown key" in both
    assert "config.yaml" not in both


def test_what_an_error_shows_is_short_and_on_one_line(load):
    long = "x\n\x1b[31m" * 1_000
    for arguments in (
        (yaml.safe_dump({**MINIMAL, "name": long}),),
        (yaml.safe_dump(MINIMAL), f"name={long}"),
        (yaml.safe_dump(MINIMAL), f"{long}=x"),
        (yaml.safe_dump({**MINIMAL, long: 1}),),
        (yaml.safe_dump({**MINIMAL, "training": {"seed": [long]}}),),
    ):
        message = refusal(load, *arguments)
        assert len(message) < 800
        assert "\x1b" not in message


@pytest.mark.parametrize("label", ["a\nb", "a\rb", "a\tb", "\x1b[31mred", "a\x00b", "a\x85b", "a\u2028b"])
def test_a_label_with_a_line_break_or_control_character_is_refused(load, label: str):
    text = yaml.safe_dump({**MINIMAL, "data": {**MINIMAL["data"], "labels": ["good", label]}})
    message = refusal(load, text)
    assert "data.labels: " in message
    assert "a line break or control character" in message
    assert "data.label_map" in message


@pytest.mark.parametrize(("one", "other"), [("caf\u00e9", "cafe\u0301"), ("a b", "a\u00a0b"), ("a b", "a  b")])
def test_labels_that_look_the_same_are_refused_and_may_be_mapped_to_one(load, one: str, other: str):
    data = {**MINIMAL["data"], "labels": ["good", one, other]}
    message = refusal(load, yaml.safe_dump({**MINIMAL, "data": data}))
    assert f"data.labels: {one!a} and {other!a} look the same" in message
    data |= {"labels": ["good", one], "label_map": {other: one}}
    assert load(yaml.safe_dump({**MINIMAL, "data": data})).data.label_map == {other: one}


def test_labels_of_any_other_characters_are_taken(load):
    labels = [
        "[/b]",
        "[red]",
        "$x$",
        "<b>",
        "a/b",
        "👨‍👩‍👧",
        "نعم",
        "a:b",
        "{x}",
        "100%",
        "&amp;",
        "`x`",
        "..",
        "p_label",
    ]
    config = load(yaml.safe_dump({**MINIMAL, "data": {**MINIMAL["data"], "labels": labels}}, allow_unicode=True))
    assert config.data.labels == tuple(labels)
    assert load(config.to_yaml()) == config


def test_a_byte_order_mark_is_not_part_of_the_first_key(load):
    assert load("\ufeff" + yaml.safe_dump(MINIMAL)).name == "small"


def test_a_config_written_as_yaml_loads_as_the_same_config(load):
    config = load(
        yaml.safe_dump(MINIMAL),
        "data.labels=['0', 'yes', 'größe 👋']",
        "data.label_map={'null': 'yes'}",
        'data.delimiter="\\t"',
        "training.learning_rate=1e-5",
        "gate.min_recall={'0': 0.5, 'yes': 0.25}",
        "model.approach=frozen",
        "beam.args=[--direct_num_workers=2]",
    )
    assert load(config.to_yaml()) == config


@pytest.mark.parametrize(("rate", "warned"), [("3.9e-4", False), ("4e-4", True), ("1", True)])
def test_a_rate_that_makes_a_trainable_base_forget_is_warned_of(load, rate: str, warned: bool):
    bounds = "gate.min_recall={good: 0.5, bad: 0.5}"
    warnings = load(yaml.safe_dump(MINIMAL), f"training.learning_rate={rate}", bounds).warnings()
    assert ["forgetting" in warning for warning in warnings] == [True] * warned
    frozen = load(yaml.safe_dump(MINIMAL), f"training.learning_rate={rate}", bounds, "model.approach=frozen")
    assert frozen.warnings() == []


def test_labels_without_a_recall_bound_are_warned_of(load):
    (warning,) = load(yaml.safe_dump(MINIMAL), "gate.min_recall={good: 0.5}").warnings()
    assert warning.startswith("gate.min_recall: no bound for 'bad': ")
    (warning,) = load(yaml.safe_dump(MINIMAL), "data.labels=[a, b, c, d]", "gate.min_precision={a: 0.5}").warnings()
    assert warning.startswith("gate.min_recall: no bound for 'a', 'b', 'c' …: ")
    assert load(yaml.safe_dump(MINIMAL), "gate.min_recall={good: 0.5, bad: 0.1}").warnings() == []
    auto = ("gate.min_recall={good: 0.5, bad: 0.1}", "gate.decision_threshold=auto", "gate.confidence=0.9")
    (warning,) = load(yaml.safe_dump(MINIMAL), *auto).warnings()
    assert warning.startswith("gate.decision_threshold: auto leaves the recall at its bound")


def test_a_bound_that_no_number_of_rows_can_show_is_refused_where_a_confidence_is_asked_for(load):
    with pytest.raises(
        InputError, match=r"gate.min_precision: no number of test rows shows .* 0.95 that 'good' is at 1"
    ):
        load(yaml.safe_dump(MINIMAL), "gate.min_precision={good: 1}", "gate.confidence=0.95")


def test_a_test_folder_leaves_a_split_into_train_and_eval(load):
    assert load(yaml.safe_dump(MINIMAL), "data.test_base=held_out").data.split == {"train": 8, "eval": 1}
    config = load(yaml.safe_dump(MINIMAL), "data.test_base=held_out", "data.split={train: 3, eval: 1}")
    assert config.data.split == {"train": 3, "eval": 1}


@pytest.mark.parametrize("file", sorted(Path("configs").glob("*.yaml")), ids=lambda file: file.stem)
def test_every_config_that_comes_with_the_project_loads(file: Path):
    assert load_config(file).name == file.stem

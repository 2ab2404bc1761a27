import pytest
import yaml

from fullbake.pipeline.config.config import Config
from tests.pipeline.config.refusal import MINIMAL, refusal


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
        ("data.quote_character=##", "data.quote_character", "'##'", "should have at most 1 character"),
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

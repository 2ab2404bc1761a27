from pathlib import Path

import pytest
import yaml

from fullbake.components.data.row_format import NULL_VALUES
from fullbake.contract.errors import InputError
from fullbake.pipeline.config.loading import load_config
from tests.pipeline.config.refusal import MINIMAL, refusal


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
            "label_from": "column",
            "labels_file": None,
            "id_column": None,
            "labels": ["good", "bad"],
            "label_map": {},
            "label_threshold": None,
            "label_columns": [],
            "label_separator": None,
            "missing_label": "fail",
            "votes": {},
            "null_values": list(NULL_VALUES),
            "delimiter": ",",
            "encoding": "utf-8",
            "quoting": "auto",
            "quote_character": '"',
            "escape_character": None,
            "skip_initial_space": False,
            "comment_prefix": None,
            "short_rows": "reject",
            "trailing_delimiter": False,
            "columns": None,
            "line_pattern": None,
            "on_bad_row": "fail",
            "max_bad_fraction": 0.01,
            "on_duplicate": "keep",
            "on_conflict": "keep",
            "rare_classes": "fail",
            "split": {"train": 8, "eval": 1, "test": 1},
            "test_base": None,
            "test_labels_file": None,
        },
        "model": {
            "base": "distilbert-base-uncased",
            "revision": None,
            "approach": "fine_tune",
            "head": None,
            "pooling": "cls",
            "max_length": 512,
            "truncation": "head",
            "window_overlap": None,
            "max_windows": 8,
            "window_pooling": "max",
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
            **{"accept_baseline_loss": False, "calibrate": False},
            "decision_threshold": None,
            **{"slices": [], "identity_columns": [], "length_slices": [], "min_slice_recall": {}, "min_bias_auc": {}},
        },
        "push": {"serving_dir": None, "keep_versions": None},
        "report": {"show_texts": True},
        "tracking": {"mlflow_uri": None, "mlflow_experiment": None},
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
        ("lora", "linear", 4e-3),
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


@pytest.mark.parametrize("file", sorted(Path("configs").glob("*.yaml")), ids=lambda file: file.stem)
def test_every_config_that_comes_with_the_project_loads(file: Path):
    assert load_config(file).name == file.stem

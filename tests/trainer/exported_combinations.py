"""What Hugging Face's own code is to open: exported models that differ in all that matters to it."""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Combination:
    """An exported model.

    `config` and `tokenizer` are changes to the base's config.json, such as an earlier task leaves there, and to its
    tokenizer_config.json; `old_labels` are of a head that the base carries; `half`: its weights are float16.
    """

    name: str
    family: str
    head: str
    labels: tuple[str, ...]
    pooling: str = "cls"
    pairs: bool = False
    lowercase: bool = True
    config: dict[str, Any] = dataclasses.field(default_factory=dict)
    tokenizer: dict[str, Any] = dataclasses.field(default_factory=dict)
    old_labels: tuple[str, ...] = ()
    half: bool = False
    task: str = "single_label"


LEFT_BY_A_TASK = {
    "problem_type": "multi_label_classification",
    "task_specific_params": {"text-classification": {"problem_type": "regression"}},
    "function_to_apply": "none",
    "torch_dtype": "float16",
    "output_hidden_states": True,
    "output_attentions": True,
    "return_dict": False,
    "chunk_size_feed_forward": 7,
}
OF_ANOTHER_MIND = {"truncation_side": "left", "padding_side": "left", "model_max_length": 9}
COMBINATIONS = [
    Combination(
        "bert, hf, an earlier head for as many labels",
        *("bert", "hf", ("fine", "rude", "odd")),
        config=LEFT_BY_A_TASK,
        tokenizer=OF_ANOTHER_MIND,
        old_labels=("x", "y", "z"),
    ),
    Combination(
        "bert, linear on the mean, cased pairs",
        *("bert", "linear", ("ja", "nein")),
        pooling="mean",
        pairs=True,
        lowercase=False,
        tokenizer={"model_input_names": ["input_ids", "attention_mask"], **OF_ANOTHER_MIND},
    ),
    Combination(
        "distilbert, hf, cased pairs, an earlier head for more labels",
        *("distilbert", "hf", ("straßen toll", "LABEL_0")),
        pairs=True,
        lowercase=False,
        config=LEFT_BY_A_TASK | {"sinusoidal_pos_embds": True, "activation": "relu"},
        tokenizer={"model_input_names": ["input_ids", "token_type_ids", "attention_mask"]},
        old_labels=tuple("uvwxyz"),
    ),
    Combination("electra, hf, cased", *("electra", "hf", tuple("abcd")), lowercase=False, half=True),
    Combination(
        "electra, mlp, pairs",
        *("electra", "mlp", ("0", "1")),
        pairs=True,
        config=LEFT_BY_A_TASK,
        tokenizer=OF_ANOTHER_MIND,
    ),
    Combination(
        "bert, hf, multi-label",
        *("bert", "hf", ("toxic", "obscene", "threat")),
        config=LEFT_BY_A_TASK | {"problem_type": "single_label_classification"},
        task="multi_label",
    ),
    Combination(
        "roberta, hf, an earlier head for as many labels",
        *("roberta", "hf", ("fine", "rude", "odd")),
        config=LEFT_BY_A_TASK,
        tokenizer=OF_ANOTHER_MIND,
        old_labels=("x", "y", "z"),
    ),
    Combination(
        "xlm-roberta, hf, an earlier head",
        *("xlm-roberta", "hf", ("ja", "nein", "vielleicht")),
        config=LEFT_BY_A_TASK,
        tokenizer=OF_ANOTHER_MIND,
        old_labels=("x", "y", "z"),
    ),
    Combination(
        "roberta, linear on the mean, pairs, a space before each text",
        *("roberta", "linear", ("ja", "nein")),
        pooling="mean",
        pairs=True,
        tokenizer={"add_prefix_space": True},
    ),
    Combination("albert, hf, pairs", *("albert", "hf", tuple("abc")), pairs=True, config=LEFT_BY_A_TASK),
    Combination("albert, mlp, multi-label", *("albert", "mlp", ("toxic", "threat")), task="multi_label"),
    Combination("xlm-roberta, linear, pairs", *("xlm-roberta", "linear", ("0", "1")), pairs=True, pooling="mean"),
    Combination(
        "mpnet, hf, pairs, an earlier head",
        *("mpnet", "hf", ("ja", "nein", "vielleicht")),
        pairs=True,
        config=LEFT_BY_A_TASK,
        tokenizer=OF_ANOTHER_MIND,
        old_labels=("x", "y", "z"),
    ),
    Combination("mpnet, linear on the mean", *("mpnet", "linear", ("0", "1")), pooling="mean", half=True),
    Combination(
        "camembert, hf, pairs, an earlier head",
        *("camembert", "hf", ("ja", "nein", "vielleicht")),
        pairs=True,
        config=LEFT_BY_A_TASK,
        tokenizer=OF_ANOTHER_MIND,
        old_labels=("x", "y", "z"),
    ),
    Combination(
        "deberta-v2, hf, pairs, an earlier head",
        *("deberta-v2", "hf", ("ja", "nein", "vielleicht")),
        pairs=True,
        config=LEFT_BY_A_TASK,
        tokenizer=OF_ANOTHER_MIND,
        old_labels=("x", "y", "z"),
    ),
    Combination("deberta-v2, mlp on the mean", *("deberta-v2", "mlp", ("0", "1")), pooling="mean", half=True),
    Combination("distilbert, linear, multi-label", *("distilbert", "linear", ("toxic", "threat")), task="multi_label"),
]

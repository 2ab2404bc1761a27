"""The families of encoders that a base model may be of: one row each. Imports nothing heavy.

A family has a row once the tests have shown of it that a text gets the same answer alone and beside longer ones, that
what is served is what the exported folder computes in Hugging Face's own TensorFlow and PyTorch classes, and that
further pre-training works. `docs/bases.md` shows the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fullbake.contract.errors import InputError
from fullbake.trainer.encoder.family import Family
from fullbake.trainer.encoder.family_shapes import (
    albert_pooler_shapes,
    albert_shapes,
    bert_shapes,
    deberta_shapes,
    distilbert_shapes,
    mpnet_shapes,
)

# Those of transformers' activations that TensorFlow and PyTorch both have; the first is the default of all families.
ACTIVATIONS = (
    "gelu", "gelu_10", "gelu_fast", "gelu_new", "mish", "quick_gelu", "relu", "sigmoid", "silu", "swish", "tanh"
)  # fmt: skip

# Of every family, what a config.json may say; the first is what it says where it is silent.
_COMMON_SETTINGS: dict[str, tuple[Any, ...]] = {
    "is_decoder": (False,),
    "is_encoder_decoder": (False,),
    "add_cross_attention": (False,),
    "pruned_heads": (None, {}),
    "quantization_config": (None,),
}


def family_of(config: Mapping[str, Any], base: str) -> Family:
    """The family of a base model.

    Args:
        config: The content of its config.json.
        base: What it is called in messages.

    Raises:
        InputError: It is of none, or says something that makes it compute something else here than in Hugging Face.
    """
    model_type = config.get("model_type")
    family = FAMILIES.get(model_type) if isinstance(model_type, str) else None
    if family is None:
        raise InputError(
            "{model} is of type {type!r}, which is not among those known to compute here what they do in Hugging Face "
            "({families}); choose a base of one of these, such as {known}",
            field="base",
            model=base,
            type=model_type,
            families=", ".join(FAMILIES),
            known=KNOWN_NAMES[0],
        )
    if config.get("auto_map"):
        raise InputError(
            "{model} comes with model code of its own (auto_map in its config.json), which is never run "
            "(trust_remote_code is off); choose a base without, such as {known}",
            field="base",
            model=base,
            known=family.known[0],
        )
    for key, allowed in {**_COMMON_SETTINGS, **family.settings, **family.stated}.items():
        value = config.get(key, None if key in family.stated else allowed[0])
        # By type too: 0 is not False, and 1 not True, in what reads the exported config.
        if not any(value == one and type(value) is type(one) for one in allowed):
            may = " or ".join("no such key" if one is None else repr(one) for one in allowed)
            raise InputError(
                "{model}: {key} is {value!r} in its config.json, with which it computes something else here than in "
                "Hugging Face (it may be: {may}); choose another base, such as {known}",
                field="base",
                model=base,
                key=key,
                value=value,
                may=may,
                known=family.known[0],
            )
    family.sizes(config, base)
    return family


def _bert_size_keys(**own: int) -> dict[str, tuple[tuple[str, ...], int]]:
    sizes = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072} | own
    return {
        "vocabulary": (("vocab_size",), 30522),
        "positions": (("max_position_embeddings",), 512),
        "types": (("type_vocab_size",), 2),
        "hidden": (("hidden_size",), sizes["hidden_size"]),
        "layers": (("num_hidden_layers",), sizes["num_hidden_layers"]),
        "heads": (("num_attention_heads",), sizes["num_attention_heads"]),
        "feed_forward": (("intermediate_size",), sizes["intermediate_size"]),
    }


_BERT_SETTINGS = {"position_embedding_type": ("absolute",), "hidden_act": ACTIVATIONS}

# Of the families that are built as RoBERTa. Two of the positions are never used: they are counted on from the pad id,
# in PyTorch by that id, in TensorFlow's class of RoBERTa always from 2 on.
_AS_ROBERTA: dict[str, Any] = {
    "settings": {**_BERT_SETTINGS, "pad_token_id": (1,)},
    "shapes": bert_shapes,
    "own_prefix": "roberta",
    "unused_positions": 2,
    "separators_part": True,
}

FAMILIES: dict[str, Family] = {
    row.model_type: row
    for row in (
        Family(
            "bert",
            known=(
                "bert-base-uncased",
                "bert-base-cased",
                "bert-large-uncased",
                "bert-large-cased",
                "bert-base-multilingual-cased",
                "bert-base-multilingual-uncased",
                "bert-base-german-cased",
                "bert-base-chinese",
                "google-bert/bert-base-uncased",
                "google-bert/bert-base-cased",
                "sentence-transformers/all-MiniLM-L6-v2",
                "sentence-transformers/all-MiniLM-L12-v2",
                "microsoft/MiniLM-L12-H384-uncased",
                "BAAI/bge-small-en-v1.5",
                "BAAI/bge-base-en-v1.5",
                "intfloat/e5-small-v2",
                "intfloat/e5-base-v2",
            ),
            size_keys=_bert_size_keys(),
            settings=_BERT_SETTINGS,
            shapes=bert_shapes,
            pooler=True,
        ),
        Family(
            "distilbert",
            known=(
                "distilbert-base-uncased",
                "distilbert-base-cased",
                "distilbert-base-multilingual-cased",
                "distilbert-base-german-cased",
                "distilbert/distilbert-base-uncased",
                "distilbert/distilbert-base-cased",
            ),
            # transformers takes both names of each; the second wins.
            size_keys={
                "vocabulary": (("vocab_size",), 30522),
                "positions": (("max_position_embeddings",), 512),
                "hidden": (("dim", "hidden_size"), 768),
                "layers": (("n_layers", "num_hidden_layers"), 6),
                "heads": (("n_heads", "num_attention_heads"), 12),
                "feed_forward": (("hidden_dim",), 3072),
            },
            settings={"activation": ACTIVATIONS},
            shapes=distilbert_shapes,
        ),
        Family(
            "electra",
            known=(
                "google/electra-small-discriminator",
                "google/electra-base-discriminator",
                "google/electra-large-discriminator",
            ),
            size_keys={
                **_bert_size_keys(hidden_size=256, num_attention_heads=4, intermediate_size=1024),
                "embedding": (("embedding_size",), 128),
            },
            settings=_BERT_SETTINGS,
            shapes=bert_shapes,
        ),
        Family(
            "albert",
            known=(
                "albert-base-v2",
                "albert-large-v2",
                "albert-xlarge-v2",
                "albert/albert-base-v2",
            ),
            size_keys={
                **_bert_size_keys(hidden_size=4096, num_attention_heads=64, intermediate_size=16384),
                "vocabulary": (("vocab_size",), 30000),
                "embedding": (("embedding_size",), 128),
                # Layers of a group are one layer, that is run several times.
                "layers": (("num_hidden_groups",), 1),
            },
            settings={
                "position_embedding_type": ("absolute",),
                "hidden_act": ("gelu_new", *(name for name in ACTIVATIONS if name != "gelu_new")),
                "inner_group_num": (1,),
            },
            shapes=albert_shapes,
            pooler=True,
            pooler_shapes=albert_pooler_shapes,
        ),
        Family(
            "xlm-roberta",
            known=("xlm-roberta-base", "xlm-roberta-large", "FacebookAI/xlm-roberta-base"),
            size_keys=_bert_size_keys(),
            **_AS_ROBERTA,
        ),
        Family(
            "roberta",
            known=("roberta-base", "distilroberta-base", "roberta-large", "FacebookAI/roberta-base"),
            size_keys={**_bert_size_keys(), "vocabulary": (("vocab_size",), 50265)},
            **_AS_ROBERTA,
        ),
        Family(
            "mpnet",
            known=(
                "microsoft/mpnet-base",
                "sentence-transformers/all-mpnet-base-v2",
                "sentence-transformers/multi-qa-mpnet-base-dot-v1",
            ),
            size_keys={
                **{name: keys for name, keys in _bert_size_keys().items() if name != "types"},
                "vocabulary": (("vocab_size",), 30527),
                "distances": (("relative_attention_num_buckets",), 32),
            },
            # Both classes count positions from 2 on, whatever the id of padding is.
            settings={"hidden_act": ACTIVATIONS, "pad_token_id": (1,), "relative_attention_num_buckets": (32,)},
            shapes=mpnet_shapes,
            unused_positions=2,
            separators_part=True,
        ),
        Family(
            "camembert",
            known=("camembert-base", "almanach/camembert-base", "camembert/camembert-large"),
            size_keys=_bert_size_keys(),
            **_AS_ROBERTA,
        ),
        Family(
            "deberta-v2",
            known=(
                "microsoft/deberta-v3-small",
                "microsoft/deberta-v3-base",
                "microsoft/deberta-v3-large",
                "microsoft/mdeberta-v3-base",
                "microsoft/deberta-v3-xsmall",
                "microsoft/deberta-v2-xlarge",
            ),
            size_keys={
                "vocabulary": (("vocab_size",), 128100),
                "positions": (("max_position_embeddings",), 512),
                "hidden": (("hidden_size",), 1536),
                "layers": (("num_hidden_layers",), 24),
                "heads": (("num_attention_heads",), 24),
                "feed_forward": (("intermediate_size",), 6144),
                "distances": (("position_buckets",), 256),
                "convolution": (("conv_kernel_size",), 0),
            },
            settings={
                "hidden_act": ACTIVATIONS,
                "pooler_hidden_act": ACTIVATIONS,
                "conv_act": ("tanh", *(name for name in ACTIVATIONS if name != "tanh")),
                "conv_kernel_size": (0, 3),
                "conv_groups": (1,),
                "type_vocab_size": (0,),
                "max_relative_positions": (-1,),
                # Of two masked-LM heads, that which TensorFlow's class has too.
                "legacy": (True,),
            },
            # As all that Microsoft published have it. TensorFlow's class has other names for the weights that are there
            # without share_att_key, and PyTorch's would draw them at random.
            stated={
                "relative_attention": (True,),
                "share_att_key": (True,),
                "pos_att_type": ("p2c|c2p", "c2p|p2c", ["p2c", "c2p"], ["c2p", "p2c"]),
                "position_buckets": (256,),
                "position_biased_input": (False,),
                "norm_rel_ebd": ("layer_norm",),
            },
            shapes=deberta_shapes,
            own_prefix="deberta",
        ),
    )
}

KNOWN_NAMES = tuple(name for family in FAMILIES.values() for name in family.known)

MULTILINGUAL_NAMES = ("bert-base-multilingual-cased", "distilbert-base-multilingual-cased", "xlm-roberta-base")
"""Well-known models whose vocabulary is of a hundred languages (Devlin et al. 2018, Conneau et al. 2020)."""

_OTHER_LANGUAGES = ("multilingual", "german", "chinese", "xlm-roberta", "camembert", "mdeberta")


def is_english(base: str) -> bool:
    """Says whether a base is a well-known one with an English vocabulary."""
    return base in KNOWN_NAMES and not any(language in base for language in _OTHER_LANGUAGES)

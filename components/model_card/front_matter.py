"""The head of a model card: what the Hugging Face hub reads of it, as YAML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fullbake.components.model_card.facts import Facts
from fullbake.trainer.encoder.package_base import PACKAGE_PREFIX

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

TASK = "text-classification"
"""The hub's name of what the models do, of one label or of several."""

# A repository's name on the hub, with its owner or, of the oldest, without.
_HUB_ID = re.compile(r"(?:[A-Za-z0-9][\w.-]*/)?[A-Za-z0-9][\w.-]*")


def hub_base(base: str | None) -> str | None:
    """Returns the base's name on the hub; None where it is a folder or in a package.

    Args:
        base: What `contract.results.about.About` calls it.
    """
    if base is None or base.startswith(PACKAGE_PREFIX) or not _HUB_ID.fullmatch(base):
        return None
    return base


def front_matter(facts: Facts, *, hugging_face: bool) -> str:
    """Returns the YAML between the two lines of dashes, written by the hub's own library.

    No license is stated: that of the base and the data is not known here.

    Args:
        facts: What is known of the model.
        hugging_face: Whether the card is that of the Hugging Face folder; else it is that of the SavedModel.
    """
    from huggingface_hub import ModelCardData

    head = facts.about.head
    written: str = ModelCardData(
        model_name=_line(facts.settings.name),
        base_model=hub_base(facts.about.base),
        library_name="transformers" if hugging_face else "tensorflow",
        # Where the head is ours, transformers loads the encoder alone.
        pipeline_tag=TASK if head == "hf" or not hugging_face else "feature-extraction",
        tags=["fullbake", TASK],
        metrics=["accuracy", "f1", "precision", "recall"],
        eval_results=_results(facts),
    ).to_yaml()
    return written


def _results(facts: Facts) -> list[EvalResult]:
    """What was measured on the test split: of the whole, then recall, precision and F1 of each label."""
    from huggingface_hub import EvalResult

    evaluation, name = facts.evaluation, _line(facts.settings.name)
    measured: list[tuple[str, str, float | None, str | None]] = [
        ("accuracy", "Accuracy", evaluation.accuracy, None),
        ("f1", "Macro F1", evaluation.macro_f1, None),
    ]
    for kind, called, rates in (
        ("recall", "Recall", evaluation.recall),
        ("precision", "Precision", evaluation.precision),
        ("f1", "F1", evaluation.f1),
    ):
        measured += [(kind, f"{called} of {_line(label)}", rates[label], label) for label in evaluation.labels]
    return [
        EvalResult(
            task_type=TASK,
            dataset_type=re.sub(r"\W+", "-", name).strip("-").lower() or "own",
            dataset_name=f"{name}, its own data",
            dataset_split="test",
            metric_type=kind,
            metric_name=called,
            metric_value=value,
            metric_args=None if label is None else {"label": label},
        )
        for kind, called, value, label in measured
        if value is not None
    ]


def _line(text: str) -> str:
    return " ".join(text.split())

"""A model's card: `README.md` beside a pushed SavedModel and in its Hugging Face folder.

It holds no text of the data.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fullbake.components.evaluation.wilson import wilson
from fullbake.components.model_card.facts import Facts
from fullbake.components.model_card.front_matter import front_matter, hub_base
from fullbake.components.model_card.markdown import as_text
from fullbake.components.report import numbers
from fullbake.components.report.sections.classes import class_lines
from fullbake.components.report.sections.verdict import bound_lines
from fullbake.contract.named_few import named_few
from fullbake.contract.results.result import Interval
from fullbake.trainer.encoder.package_base import PACKAGE_PREFIX

WIDE = 0.2
"""An interval of a recall from here on says too little: of 80 rows and a recall of one half it is a bit wider."""

FENCE = "````"


def model_card(facts: Facts, *, hugging_face: bool) -> str:
    """Makes the card of a model.

    Args:
        facts: What is known of it.
        hugging_face: Whether the card is that of the Hugging Face folder; else it is that of the SavedModel.

    Returns:
        Markdown with the front matter of the Hugging Face hub. The same facts make the same text.
    """
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=False,  # noqa: S701 - it is no HTML: `finalize` escapes for Markdown
        finalize=as_text,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters.update(
        number=lambda value, digits=2: Markup(numbers.number(value, digits)),  # noqa: S704 - digits
        percent=lambda value: Markup(numbers.percent(value)),  # noqa: S704
        count=lambda value: Markup(numbers.count(value)),  # noqa: S704
        rate=lambda value: Markup(numbers.rate(value)),  # noqa: S704
        between=_between,
    )
    evaluation = facts.evaluation
    lines = class_lines(evaluation)
    uncertain = [
        line.label
        for line in lines
        if not line.recall_interval or line.recall_interval[1] - line.recall_interval[0] > WIDE
    ]
    return templates.get_template("card.md").render(
        front_matter=Markup(front_matter(facts, hugging_face=hugging_face)),  # noqa: S704 - YAML
        hugging_face=hugging_face,
        facts=facts,
        settings=facts.settings,
        about=facts.about,
        evaluation=evaluation,
        ingest=facts.ingest,
        training=facts.training,
        base=_base(facts.about.base),
        classes=lines,
        bounds=bound_lines(evaluation),
        accuracy_interval=wilson(evaluation.correct, evaluation.measured),
        uncertain=named_few(uncertain) if uncertain else "",
        request=_code({"instances": [_example(facts)] if len(facts.about.text_features) > 1 else ["a text"]}),
        answer=_code(
            {"predictions": [{"label": evaluation.labels[0], "probabilities": _even(len(evaluation.labels))}]}
        ),
        fence=Markup(FENCE),  # noqa: S704
    )


def _base(base: str | None) -> str:
    """What the base is called: not where its folder was, which is nobody's business elsewhere."""
    if base is None:
        return "a base model that nobody noted"
    if base.startswith(PACKAGE_PREFIX) or hub_base(base):
        return base
    return f"the folder {os.path.basename(os.path.normpath(base))}"


def _example(facts: Facts) -> dict[str, str]:
    return {name: "a text" if name == "text" else "another text" for name in facts.about.text_features}


def _even(labels: int) -> list[object]:
    return [round(1 / labels, 3)] * labels if labels <= 8 else [round(1 / labels, 3), "..."]


def _code(value: object) -> Markup:
    """Returns JSON that no label can end the block of: it has no backtick."""
    return Markup(json.dumps(value, ensure_ascii=False).replace("`", "\\u0060"))  # noqa: S704


def _between(interval: Interval | None) -> Markup:
    return Markup("–" if interval is None else f"{interval[0]:.2f}–{interval[1]:.2f}")  # noqa: S704

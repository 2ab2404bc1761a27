"""The page on which a person tries a served model. It needs no other file and asks nobody but its own server."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import NamedTuple

from fullbake.components.report.html_page import page_templates
from fullbake.contract.names import TEXT
from fullbake.pipeline.serving.served_model import ServedModel

_FOLDER = Path(__file__).parent

_PROMPTS = {TEXT: "Text"}


class Page(NamedTuple):
    """A page, and what a browser may do with it.

    Attributes:
        html: The page.
        policy: Its Content-Security-Policy: whatever a text or a label is, no script but the page's own is run.
    """

    html: str
    policy: str


def try_it_page(name: str, model: ServedModel) -> Page:
    """Makes the page.

    Args:
        name: The model's.
        model: The version that serves; the page goes on working with later ones.
    """
    template = page_templates(_FOLDER).get_template("try_it.html")
    fields = [{"name": feature, "prompt": _PROMPTS.get(feature, "Second text")} for feature in model.text_features]
    nonce = secrets.token_urlsafe(16)
    html = template.render(
        name=name,
        version=model.version.number,
        labels=model.labels,
        multi_label=model.multi_label,
        fields=fields,
        nonce=nonce,
    )
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'unsafe-inline'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return Page(html, policy)

"""What every section of the report is to the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fullbake.contract.results.report import Report


@dataclass(frozen=True)
class Section:
    """A part of the page: a module of `sections`, and the template beside it that has the module's name.

    Attributes:
        context: Returns what the template needs beside `report` and `evaluation`; None where there is nothing to show.
        title: What the navigation calls it; None: it is not in there.
        anchor: Where the navigation leads to: an id in the template.
    """

    context: Callable[[Report], Mapping[str, Any] | None]
    title: str | None = None
    anchor: str | None = None

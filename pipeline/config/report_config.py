"""The config's section `report`: what the report of a run shows."""

from __future__ import annotations

from fullbake.pipeline.config.config_section import Section


class ReportConfig(Section):
    """What the report of a run shows."""

    show_texts: bool = True
    """False: neither test texts in the report nor `predictions.csv` beside it."""

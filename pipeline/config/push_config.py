"""The config's section `push`: where a blessed model goes."""

from __future__ import annotations

from fullbake.pipeline.config.config_section import Location, Positive, Section


class PushConfig(Section):
    """Where a blessed model goes."""

    serving_dir: Location | None = None
    """Where models are pushed; null: `serving` in the output root. Several roots may share one."""
    keep_versions: Positive | None = None
    """How many versions stay after a push; null: all. What was replaced last always stays."""

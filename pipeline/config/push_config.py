"""The config's section `push`: where a blessed model goes."""

from __future__ import annotations

from fullbake.pipeline.config.config_section import Location, Positive, Section


class PushConfig(Section):
    """Where a blessed model goes."""

    serving_dir: Location | None = None
    keep_versions: Positive | None = None

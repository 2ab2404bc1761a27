"""The config's section `beam`: how the data components run."""

from __future__ import annotations

from fullbake.pipeline.config.config_section import Section


class BeamConfig(Section):
    """How the data components run; any Beam runner."""

    args: tuple[str, ...] = ()
    """Of any Beam runner, such as `["--runner=FlinkRunner"]`."""

"""The name of a pipeline on a cluster."""

from __future__ import annotations

import re

from fullbake.pipeline.config.config import Config


def pipeline_name(config: Config) -> str:
    """Returns the config's name as Kubernetes allows it: the backend names the workflow after it."""
    return re.sub("[^a-z0-9-]", "-", config.name.lower())

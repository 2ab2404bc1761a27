"""The config as a package carries it."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config import Config


def carried_config(config: Config) -> str:
    """Returns the config as a package carries it: JSON, deflated, in base64.

    Kubeflow and Argo write a parameter into JSON within JSON, three deep, and each time a quote needs as many
    backslashes again: as plain JSON, the bounds of 300 classes would not fit into what a driver is told. The page that
    starts a run sends all parameters back, of which the server takes 10,000 bytes (`MaxParameterBytes` in
    backend/src/common/util/consts.go of kubeflow/pipelines).

    Everybody who may look at a run sees it, so of environment variables it has the names only: containers have the
    values.
    """
    values = config.model_dump(mode="json")
    values["kubeflow"]["env"] = dict.fromkeys(config.kubeflow.env, "")
    plain = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.b64encode(zlib.compress(plain, level=9)).decode()


def read_carried_config(carried: str) -> dict[str, Any]:
    """Returns the values of a config that `carried_config` packed.

    Raises:
        InputError: It is not whole.
    """
    try:
        values: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(carried, validate=True)))
    except (zlib.error, ValueError) as error:
        raise InputError(
            f"parameter 'config': not what fullbake packed ({error}); leave it as the package has it"
        ) from error
    return values

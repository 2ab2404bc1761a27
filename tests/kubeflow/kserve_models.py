"""Holds manifests against the models of KServe's own Python package, to be run where that is installed.

`python kserve_models.py MANIFEST ...` prints what is not in them, a line each with the file's name. The package's
classes are made of KServe's API and carry the type of each field, and so do those of Kubernetes that they refer to.
"""

import os
import re
import sys
from collections.abc import Iterator
from typing import Any

import kserve.models
import kubernetes.client.models
import yaml

PLAIN = {"str": str, "int": int, "float": (int, float), "bool": bool, "object": object, "datetime": object}


def errors(kind: str, value: Any, path: str) -> Iterator[str]:
    """What is wrong with a value.

    Args:
        kind: The type that it should have, as the generated classes write it.
        value: It, out of YAML.
        path: Where it is.
    """
    # Older generators write list[X] and dict(str, X), newer ones List[X] and Dict[str, X].
    container = re.fullmatch(r"(?i:(list)\[|dict[\[(]str, )(.*)[\])]", kind)
    if container:
        wanted = list if container[1] else dict
        if not isinstance(value, wanted):
            yield f"{path}: {value!r} is no {wanted.__name__}"
            return
        for key, item in enumerate(value) if wanted is list else value.items():
            yield from errors(container[2], item, f"{path}.{key}")
    elif kind in PLAIN:
        if not isinstance(value, PLAIN[kind]):
            yield f"{path}: {value!r} is no {kind}"
    else:
        model = getattr(kserve.models, kind, None) or getattr(kubernetes.client.models, kind)
        fields = {model.attribute_map[name]: of for name, of in model.openapi_types.items()}
        if not isinstance(value, dict):
            yield f"{path}: {value!r} is no {kind}"
            return
        for name, item in value.items():
            if name not in fields:
                yield f"{path}.{name}: {kind} has no such field"
            else:
                yield from errors(fields[name], item, f"{path}.{name}")


if __name__ == "__main__":
    for file in sys.argv[1:]:
        with open(file, encoding="utf-8") as stream:
            for error in errors("V1beta1InferenceService", yaml.safe_load(stream), os.path.basename(file)):
                print(error)

"""TFX's artifacts, from Kubeflow's executor input and back into its executor output.

The launcher copies a task's input artifacts to local folders before the container starts and its output artifacts from
there when it has ended; the executor input names them by their address in the object store all the same. TensorFlow
cannot read `minio://`, nor `s3://`: so everything works on the local folders, and addresses are put back at the
end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.types.channel import Channel

# LocalPathForURI in backend/src/v2/component/launcher_v2.go of kubeflow/pipelines.
_MOUNTS = {"minio://": "/minio/", "s3://": "/s3/", "gs://": "/gcs/"}


def to_local(uri: str) -> str:
    """Returns the local folder of an artifact's address; what is no address of an object store stays as it is."""
    for scheme, mount in _MOUNTS.items():
        if uri.startswith(scheme):
            return mount + uri.removeprefix(scheme)
    return uri


def to_remote(path: str) -> str:
    """Returns the address of a local folder of the launcher's; any other text stays as it is."""
    for scheme, mount in _MOUNTS.items():
        if path.startswith(mount):
            return scheme + path.removeprefix(mount)
    return path


def read_artifacts(
    given: Mapping[str, Any], channels: Mapping[str, Channel], locate: Callable[[str], str] = to_local
) -> dict[str, list[types.Artifact]]:
    """Makes TFX's artifacts of those in an executor input.

    Their types come from the component: the driver sends input artifacts with an empty `instanceSchema`. What the
    component does not know is left out, such as the output `executor-logs` that backends from 2.5 on add.

    Args:
        given: `inputs.artifacts` or `outputs.artifacts` of the executor input, from JSON.
        channels: The component's inputs or outputs.
        locate: By an artifact's address, where the component is to find or put it; by default the launcher's folder.

    Returns:
        By key, a list of one artifact.
    """
    found: dict[str, list[types.Artifact]] = {}
    for key, channel in channels.items():
        for runtime_artifact in given.get(key, {}).get("artifacts", []):
            artifact = channel.type()
            artifact.uri = locate(runtime_artifact["uri"])
            _read_metadata(artifact, runtime_artifact.get("metadata", {}), locate)
            found.setdefault(key, []).append(artifact)
    return found


def write_artifacts(outputs: Mapping[str, list[types.Artifact]]) -> dict[str, Any]:
    """Makes the `artifacts` of an executor output: addresses and metadata of what a component made.

    Properties that hold no text and no number, such as the struct `sample_rate_by_split` of statistics, are left out:
    no component reads them, and the launcher refuses null (`StructValueToMLMDValue` in
    backend/src/v2/metadata/converter.go of kubeflow/pipelines, 2.0.5 to 2.17.0).

    Args:
        outputs: By key, a list of one artifact.
    """
    written = {}
    for key, (artifact,) in outputs.items():
        metadata: dict[str, str | int | float] = {}
        for properties in (artifact.mlmd_artifact.properties, artifact.mlmd_artifact.custom_properties):
            for name, value in properties.items():
                kind = value.WhichOneof("value")
                if kind == "string_value":
                    metadata[name] = to_remote(value.string_value)
                elif kind in ("int_value", "double_value"):
                    metadata[name] = getattr(value, kind)
        written[key] = {"artifacts": [{"uri": to_remote(artifact.uri), "metadata": metadata}]}
    return written


def _read_metadata(artifact: types.Artifact, metadata: Mapping[str, Any], locate: Callable[[str], str]) -> None:
    declared = artifact.artifact_type.properties
    for name, value in metadata.items():
        proto = artifact.mlmd_artifact
        target = (proto.properties if name in declared else proto.custom_properties)[name]
        # JSON has one kind of number, so a span comes back as 7.0.
        wants_double = name in declared and declared[name] == metadata_store_pb2.DOUBLE
        if isinstance(value, str):
            target.string_value = locate(value)
        elif isinstance(value, bool) or not isinstance(value, int | float):
            continue  # nothing of ours; Kubeflow adds metadata of its own
        elif float(value).is_integer() and not wants_double:
            target.int_value = int(value)
        else:
            target.double_value = value

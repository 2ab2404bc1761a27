"""The manifest by which KServe serves a pushed model, held against KServe's own schemas; no cluster is here."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "kubeflow/manifests/inference-service.yaml"
KSERVE = "kserve==0.21.0"
CRD_VARIABLE = "FULLBAKE_KSERVE_CRD"
"""Names config/crd/full/serving.kserve.io_inferenceservices.yaml of a clone of kserve/kserve."""


def manifests(*names: str) -> dict[str, Any]:
    """Those of these files, by kind."""
    documents = [yaml.safe_load((MANIFEST.parent / name).read_text(encoding="utf-8")) for name in names]
    return {document["kind"]: document for document in documents}


def test_the_manifest_has_the_fields_and_types_of_kserve_and_a_spoiled_one_has_not(tmp_path: Path):
    text = MANIFEST.read_text(encoding="utf-8").replace("storageUri:", "storageURI:")
    spoiled = tmp_path / "spoiled.yaml"
    spoiled.write_text(text.replace("runAsNonRoot: true", "runAsNonRoot: yes please"), encoding="utf-8")
    # In an environment of its own: KServe's package wants newer protocol buffers than TFX.
    python = ["sh", "tools/uv.sh", "run", "--quiet", "--no-project", "--isolated", "--python", "3.10", "--with", KSERVE]
    command = [*python, "python", "-W", "ignore", "tests/kubeflow/kserve_models.py", MANIFEST, spoiled]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "spoiled.yaml.spec.predictor.securityContext.runAsNonRoot: 'yes please' is no bool",
        "spoiled.yaml.spec.predictor.model.storageURI: V1beta1ModelSpec has no such field",
    ]


@pytest.mark.skipif(CRD_VARIABLE not in os.environ, reason=f"{CRD_VARIABLE} names no CRD of KServe")
def test_the_manifest_fits_the_crd_of_kserve():
    import jsonschema

    crd = yaml.load(Path(os.environ[CRD_VARIABLE]).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    (version,) = [version for version in crd["spec"]["versions"] if version["name"] == "v1beta1"]
    validator = jsonschema.Draft202012Validator(closed(version["schema"]["openAPIV3Schema"]))
    (manifest,) = manifests(MANIFEST.name).values()
    assert [error.message for error in validator.iter_errors(manifest)] == []
    manifest["spec"]["predictor"]["model"]["storageURI"] = "pvc://fullbake/serving"
    (error,) = validator.iter_errors(manifest)
    assert "'storageURI' was unexpected" in error.message


def closed(schema: Any) -> Any:
    """The schema with the fields of each object and no others, as Kubernetes takes it with strict validation."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        made.setdefault("additionalProperties", False)
    return made


def test_what_is_served_is_the_volume_that_the_steps_push_to():
    found = manifests(MANIFEST.name, "volume.yaml", "data-pod.yaml")
    service, claim, pod = (found[kind] for kind in ("InferenceService", "PersistentVolumeClaim", "Pod"))
    assert service["spec"]["predictor"]["model"]["storageUri"] == f"pvc://{claim['metadata']['name']}/serving"
    assert service["metadata"]["namespace"] == claim["metadata"]["namespace"]
    # The steps and the pod that fills the volume are that user, and so can the server read what they write.
    assert service["spec"]["predictor"]["securityContext"] == pod["spec"]["securityContext"]
    container = pod["spec"]["containers"][0]["securityContext"]
    assert service["spec"]["predictor"]["model"]["securityContext"] == container

"""What KFP's driver and launcher speak to in a cluster, on ports of this machine.

A real object store that speaks S3 (moto), ML Metadata's own store behind its gRPC service, and, of the API of
Kubernetes, the three objects that are asked for.
"""

import base64
import http.client
import http.server
import json
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import json_format
from ml_metadata import MetadataStore
from ml_metadata.metadata_store.pywrap.metadata_store_extension import metadata_store as engine
from ml_metadata.proto import metadata_store_pb2, metadata_store_service_pb2

ROOT = Path(__file__).parents[2]
MOTO = "moto[server]==5.1.22"
NAMESPACE = "kubeflow"
POD = "a-pod"
BUCKET = "mlpipeline"
_SERVICE = metadata_store_service_pb2.DESCRIPTOR.services_by_name["MetadataStoreService"]


@dataclass(frozen=True)
class Services:
    """Where they listen.

    Attributes:
        metadata_port: Of ML Metadata's gRPC service, in the clear.
        store_port: Of the object store, in the clear.
        api_port: Of Kubernetes' API, over TLS.
        account: A folder as a service account's, with token, namespace and the API's certificate.
        objects: What the API knows, by path in the namespace; those that start pods put theirs here.
    """

    metadata_port: int
    store_port: int
    api_port: int
    account: Path
    objects: dict[str, Any]

    def artifacts(self, title: str) -> list[dict[str, Any]]:
        """The artifacts of a type in ML Metadata, as Kubeflow's page gets them."""
        store = MetadataStore(metadata_store_pb2.MetadataStoreClientConfig(host="127.0.0.1", port=self.metadata_port))
        return [
            {
                "uri": artifact.uri,
                "type": {"schemaTitle": title},
                "metadata": {name: _plain(value) for name, value in artifact.custom_properties.items()},
            }
            for artifact in store.get_artifacts_by_type(title)
        ]

    def read(self, uri: str) -> str:
        """The object at the very address of an artifact."""
        connection = http.client.HTTPConnection("127.0.0.1", self.store_port)
        path = "/" + uri.removeprefix("minio://")
        connection.request("GET", path, headers={"Authorization": "AWS minio:any"})  # moto wants one to be there
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.read().decode()


def _plain(value: metadata_store_pb2.Value) -> Any:
    kind = value.WhichOneof("value")
    held = getattr(value, kind)
    return json_format.MessageToDict(held) if kind == "struct_value" else held


@contextmanager
def services(folder: Path) -> Iterator[Services]:
    """Starts them; ends them with the block."""
    account = folder / "serviceaccount"
    account.mkdir(parents=True)
    (account / "token").write_text("token")
    (account / "namespace").write_text(NAMESPACE)
    with (
        _metadata_service(folder / "metadata.sqlite") as metadata,
        _object_store(folder / "moto") as store,
    ):
        objects = _objects(store)
        with kubernetes_api(account, objects) as api:
            yield Services(metadata, store, api, account, objects)


@contextmanager
def _metadata_service(database: Path) -> Iterator[int]:
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(database)
    store = engine.CreateMetadataStore(
        config.SerializeToString(), metadata_store_pb2.MigrationOptions().SerializeToString()
    )
    one_at_a_time = threading.Lock()

    def handler(name: str) -> Any:
        def call(request: bytes, context: grpc.ServicerContext) -> bytes:
            with one_at_a_time:
                response, message, code = getattr(engine, name)(store, request)
            if code:
                context.abort(next(c for c in grpc.StatusCode if c.value[0] == code), message.decode())
            return bytes(response)

        return grpc.unary_unary_rpc_method_handler(call)

    server = grpc.server(ThreadPoolExecutor(8))
    methods = {method.name: handler(method.name) for method in _SERVICE.methods if hasattr(engine, method.name)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE.full_name, methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


@contextmanager
def _object_store(folder: Path) -> Iterator[int]:
    uv = ["sh", str(ROOT / "tools/uv.sh")]
    subprocess.run([*uv, "venv", "--quiet", "--python", "3.10", folder], cwd=ROOT, check=True)
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", folder / "bin/python", MOTO], cwd=ROOT, check=True)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as free:
        port = free.server_address[1]
    server = subprocess.Popen(
        [folder / "bin/moto_server", "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _put_bucket(port)
        yield port
    finally:
        server.kill()
        server.wait()


def _put_bucket(port: int) -> None:
    for _ in range(100):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("PUT", f"/{BUCKET}")
            assert connection.getresponse().status == 200
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the object store does not answer")


def secret(**values: str) -> dict[str, Any]:
    """A secret of Kubernetes."""
    return {"data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}}


def _objects(store_port: int) -> dict[str, Any]:
    endpoint = {
        "endpoint": f"127.0.0.1:{store_port}",
        "region": "us-east-1",
        "disableSSL": True,
        "forcePathStyle": True,
    }
    reference = {"secretName": "mlpipeline-minio-artifact", "accessKeyKey": "accesskey", "secretKeyKey": "secretkey"}
    provider = {"default": {**endpoint, "credentials": {"fromEnv": False, "secretRef": reference}}}
    return {
        "configmaps/kfp-launcher": {"data": {"providers": json.dumps({"minio": provider, "s3": provider})}},
        "secrets/mlpipeline-minio-artifact": secret(accesskey="minio", secretkey="minio123"),
        f"pods/{POD}": {"metadata": {"name": POD, "namespace": NAMESPACE}},
    }


@contextmanager
def kubernetes_api(account: Path, objects: Mapping[str, Any]) -> Iterator[int]:
    """Starts an API that knows these objects, over TLS; puts its certificate among the files of the account.

    Args:
        account: A folder as a service account's.
        objects: By path in the namespace.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = objects.get(self.path.removeprefix(f"/api/v1/namespaces/{NAMESPACE}/").partition("?")[0])
            body = json.dumps(found or {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404})
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            pass

    key, certificate = account.parent / "key.pem", account / "ca.crt"
    names = ["-subj", "/CN=kubernetes", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *names, "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()

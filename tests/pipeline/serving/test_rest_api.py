"""TensorFlow Serving's REST API, over HTTP."""

import base64
import http.client
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from tests.pipeline.serving.conftest import VERSION
from tests.pipeline.tiny_model import LABELS, TEXTS

RANDOM = np.random.default_rng(3)
WORDS = "you are a bad good kind of person what the day garden idiot fool".split()  # noqa: SIM905
MANY = [" ".join(RANDOM.choice(WORDS, RANDOM.integers(0, 40))) for _ in range(500)]

BAD = {
    "nothing": (b"", 400, "JSON Parse error: The document is empty"),
    "no JSON": (b'{"instances": [1,}', 400, "JSON Parse error: Invalid value. at offset: 17"),
    "no comma": (b'{"instances": ["a" "b"]}', 400, "Missing a comma or ] after an array element. at offset: 19"),
    "half a pair": (rb'{"instances": ["\ud800"]}', 400, "The surrogate pair in string is invalid."),
    "too deep": (b"[" * 100_000, 400, "nested too deeply"),
    "a list": (b"[1]", 400, "JSON Value: [\n    1\n] Is not object"),
    "no key": (b"{}", 400, "Missing 'inputs' or 'instances' key"),
    "both keys": (b'{"inputs": [], "instances": []}', 400, "expecting only one of 'inputs' or 'instances' keys"),
    "no list": (b'{"instances": "a"}', 400, "Excepting 'instances' to be an list/array"),
    "no values": (b'{"instances": []}', 400, "No values in 'instances' array"),
    "a number": (
        b'{"instances": ["a", 1]}',
        400,
        "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: 1 Type: Number is not "
        "of expected type: string",
    ),
    "null": (b'{"instances": [null]}', 400, "JSON Value: null Type: Null is not of expected type: string"),
    "mixed": (b'{"instances": ["a", {"text": "b"}]}', 400, "Expecting value/list but got object at item 1 of input"),
    "other input": (b'{"instances": [{"txt": "b"}]}', 400, "JSON object: does not have named input: txt"),
    "no input": (b'{"instances": [{}]}', 400, "keys must be equal to: text"),
    "missing input": (b'{"inputs": {"txt": ["a"]}}', 400, "Missing named input: text in 'inputs' object."),
    "nested": (b'{"instances": [["a"]]}', 400, "Encountered list at unexpected level: 0 expected < 0"),
    "no base 64": (b'{"instances": [{"b64": "*"}]}', 400, "Unable to base64 decode"),
    "no signature": (
        b'{"instances": ["a"], "signature_name": "x"}',
        400,
        'Serving signature name: "x" not found in signature def',
    ),
    "no name": (b'{"instances": ["a"], "signature_name": 5}', 400, "'signature_name' key must be a string value."),
    "too many": (json.dumps({"instances": ["a"] * 101}).encode(), 400, "101 rows; send at most 100 at once"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_request_gets_the_words_of_tensorflow_serving(server, case):
    body, status, text = BAD[case]
    got, answer = server.post("predict", body)
    assert list(answer) == ["error"]
    assert (got, text in answer["error"]) == (status, True), answer


def test_answers_are_those_of_predict_for_500_texts_of_16_clients(server, predictor):
    expected = predictor.predict({"text": [text.encode() for text in MANY]})
    with ThreadPoolExecutor(16) as clients:
        answers = list(clients.map(lambda text: server.post("predict", {"instances": [text]}), MANY))
    assert {status for status, _ in answers} == {200}
    said = [answer["predictions"][0] for _, answer in answers]
    assert [one["label"] for one in said] == [one.label for one in expected]
    scores = np.array([one["probabilities"] for one in said])
    np.testing.assert_allclose(scores, [one.probabilities for one in expected], atol=1e-6)
    assert {one.label for one in expected} > {LABELS[0]}, "a model that says one thing shows nothing"


def test_every_form_of_a_request_gives_the_same(server):
    _, by_row = server.post("predict", {"instances": TEXTS})
    encoded = [{"b64": base64.b64encode(text.encode()).decode()} for text in TEXTS]
    for instances in ([{"text": text} for text in TEXTS], encoded):
        assert server.post("predict", {"instances": instances}) == (200, by_row)
    assert server.post("predict", {"instances": TEXTS}, f"/versions/{VERSION}") == (200, by_row)
    columns = {key: [row[key] for row in by_row["predictions"]] for key in ("label", "probabilities")}
    for inputs in (TEXTS, {"text": TEXTS}):
        assert server.post("predict", {"inputs": inputs}) == (200, {"outputs": columns})
    classes = [[list(pair) for pair in zip(LABELS, row, strict=True)] for row in columns["probabilities"]]
    for examples in ([{"text": text} for text in TEXTS], [{"text": [text]} for text in TEXTS]):
        status, answer = server.post("classify", {"examples": examples})
        assert (status, [[name for name, _ in row] for row in answer["results"]]) == (200, [list(LABELS)] * len(TEXTS))
        for got, wanted in zip(answer["results"], classes, strict=True):
            np.testing.assert_allclose([score for _, score in got], [score for _, score in wanted], atol=1e-6)


def test_one_bad_example_costs_others_nothing(server):
    good, bad = {"examples": [{"text": "you"}]}, {"examples": [{"txt": "you"}]}
    with ThreadPoolExecutor(16) as clients:
        answers = list(clients.map(lambda number: server.post("classify", bad if number % 4 else good), range(64)))
    assert [status for status, _ in answers] == [400 if number % 4 else 200 for number in range(64)]
    assert "Feature: text (data type: string) is required but could not be found" in answers[1][1]["error"]


def test_classify_says_what_is_wrong_with_examples_and_regress_that_there_is_no_such_signature(server):
    for body, text in {
        "{}": "When method is classify, key 'examples' is expected and was not found",
        '{"examples": []}': "'examples' value is an empty array",
        '{"examples": ["a"]}': "Example must be JSON object but got JSON String",
        '{"examples": [{"text": ["a", 1]}]}': "Unexpected element type in feature: text expecting type: bytes",
        '{"examples": [{"text": null}]}': "Feature: text has element with unexpected JSON type: Null",
    }.items():
        status, answer = server.post("classify", body.encode())
        assert (status, text in answer["error"]) == (400, True), answer
    status, answer = server.post("regress", {"examples": [{"text": "a"}]})
    assert status == 400
    wanted = "Expected regression signature method_name to be tensorflow/serving/regress"
    assert answer["error"] == f"{wanted}. Was: tensorflow/serving/predict"


def test_status_and_metadata_are_messages_of_tensorflow_serving(server):
    path = f"/v1/models/{server.name}"
    for suffix in ("", f"/versions/{VERSION}"):
        _, said = server.ask("GET", path + suffix)
        response = json_format.ParseDict(said, get_model_status_pb2.GetModelStatusResponse())
        (status,) = response.model_version_status
        assert (status.version, status.State.Name(status.state), status.status.error_code) == (VERSION, "AVAILABLE", 0)
    _, said = server.ask("GET", f"{path}/metadata")
    assert said["model_spec"] == {"name": "tiny", "signature_name": "", "version": str(VERSION)}
    signatures = said["metadata"]["signature_def"]
    found = json_format.ParseDict(signatures, get_model_metadata_pb2.SignatureDefMap()).signature_def
    assert {name for name in found if not name.startswith("__")} == {"serving_default", "examples"}
    assert found["serving_default"].outputs["probabilities"].tensor_shape.dim[1].size == len(LABELS)


def test_what_is_not_there_is_said_as_tensorflow_serving_does(server):
    body = b'{"instances": ["a"]}'
    for method, path, status, text in (
        ("POST", "/v1/models/other:predict", 404, "Servable not found for request: Latest(other)"),
        ("POST", "/v1/models/tiny/versions/5:predict", 404, "Servable not found for request: Specific(tiny, 5)"),
        ("GET", "/v1/models/other", 404, "Could not find any versions of model other"),
        ("GET", "/v1/models/tiny/versions/5", 404, "Could not find version 5 of model tiny"),
        ("GET", "/v1/models/other/metadata", 404, "Servable not found for request: Latest(other)"),
        ("POST", "/v1/models/tiny", 400, "Malformed request: POST /v1/models/tiny"),
        ("GET", "/v1/models/tiny:predict", 400, "Malformed request: GET /v1/models/tiny:predict"),
        ("PUT", "/v1/models/tiny", 400, "Malformed request: PUT /v1/models/tiny"),
        ("GET", "/elsewhere", 404, "Not Found"),
    ):
        assert server.ask(method, path, body if method == "POST" else None) == (status, {"error": text})


def test_health_and_the_list_of_models_are_there(server):
    assert server.ask("GET", "/healthz") == (200, {"status": "ok"})
    assert server.ask("GET", "/v1/models") == (200, {"models": ["tiny"]})


def test_100_megabytes_are_refused_whether_announced_or_not_and_others_are_answered_meanwhile(server):
    part = b" " * 2**20

    def announced():
        return server.post("predict", part * 100)

    def chunked():
        connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
        connection.request("POST", f"/v1/models/{server.name}:predict", (part for _ in range(100)), encode_chunked=True)
        response = connection.getresponse()
        return response.status, json.loads(response.read())

    for send in (announced, chunked):
        with ThreadPoolExecutor(1) as client:
            sending = client.submit(send)
            assert server.post("predict", {"instances": ["you"]})[0] == 200
            status, answer = sending.result(60)
        assert (status, "more than 4,194,304 bytes" in answer["error"]) == (413, True)


def test_a_body_is_refused_before_it_is_there(server):
    with socket.create_connection((server.host, server.port), timeout=20) as connection:
        head = f"POST /v1/models/{server.name}:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_client_that_leaves_costs_nothing(server):
    def leave():
        with socket.create_connection((server.host, server.port), timeout=20) as connection:
            connection.sendall(b"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{")

    threads = [threading.Thread(target=leave) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.post("predict", {"instances": ["you"]})[0] == 200

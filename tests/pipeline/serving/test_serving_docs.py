"""The requests and responses that docs/serving.md shows, asked of a server."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from fullbake.components.serving.pushed_models import versions
from tests.pipeline.serving.server_process import ServerProcess

PAGE = (Path(__file__).parents[3] / "docs/serving.md").read_text(encoding="utf-8")
PAIRS = re.findall(
    r"```json request (GET|POST) (\S+)\n(.*?)```\n\n```json response (\d+)\n(.*?)```", PAGE, flags=re.DOTALL
)


@pytest.fixture(scope="module")
def quickstart(model: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("docs") / "quickstart"
    shutil.copytree(model, folder / "serving/1796021708")
    server = ServerProcess(folder)
    yield server
    assert server.stop() == 0


def shape(value: Any, key: str = "") -> Any:
    """What an answer is like, whatever the model decides: its label and probabilities depend on the model."""
    if isinstance(value, dict):
        return {name: shape(one, name) for name, one in value.items()}
    if key in ("probabilities", "label", "results"):
        return type(value[0]).__name__ if isinstance(value, list) else type(value).__name__
    return [shape(one, key) for one in value] if isinstance(value, list) else value


def test_the_page_has_requests_with_their_responses():
    assert len(PAIRS) == PAGE.count("```json request") == PAGE.count("```json response") >= 7


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0]} {pair[1]} {pair[3]}")
def test_a_request_of_the_page_gets_its_response(quickstart: ServerProcess, pair: tuple[str, ...]):
    method, path, body, status, response = pair
    got, answer = quickstart.ask(method, path, body.strip().encode() or None)
    assert (got, shape(answer)) == (int(status), shape(json.loads(response)))


def test_the_config_of_the_page_is_one_of_tensorflow_serving_and_names_a_folder_it_can_read(quickstart: ServerProcess):
    (config,) = re.findall(r"```protobuf models.config\n(.*?)```", PAGE, flags=re.DOTALL)
    (model,) = text_format.Parse(config, model_server_config_pb2.ModelServerConfig()).model_config_list.config
    assert f"target={model.base_path},readonly" in PAGE
    (version,) = versions(str(quickstart.folder / "serving"))
    assert (Path(version.path) / "saved_model.pb").is_file()
    assert version.name == str(version.number)

"""The pictures of docs/architecture.md against the code."""

import re
import sys
from pathlib import Path

from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.graph import create_components
from fullbake.pipeline.outline import Places
from tests.pipeline.planted import write_config

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
LAYERS, DATA_FLOW = re.findall(
    r"```mermaid\nflowchart TD\n(.*?)```", (ROOT / "docs/architecture.md").read_text(encoding="utf-8"), re.DOTALL
)


def test_the_picture_of_layers_is_the_import_contract():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = [one for one in project["tool"]["importlinter"]["contracts"] if one["type"] == "layers"]
    assert [f"fullbake.{layer.strip()}" for layer in LAYERS.split("-->")] == contract["layers"]


def test_every_layer_is_a_package_of_the_one_import_name_and_every_package_a_layer():
    links = {link.name: link.resolve() for link in (ROOT / "fullbake").iterdir() if link.is_symlink()}
    assert links == {layer.strip(): ROOT / layer.strip() for layer in LAYERS.split("-->")}


def test_the_picture_of_the_data_flow_is_the_graph(tmp_path: Path):
    file = write_config(
        tmp_path,
        "no-base",
        data={},
        model={"approach": "further_pretrain"},
        training={"learning_rate": None},
        tuning={"learning_rates": [1e-5, 2e-5]},
    )
    components = create_components(load_config(file), Places("root", "serving", None, None), "production")
    edges = []
    for component in components:
        carried: dict[str, list[str]] = {}
        for channel in component.inputs.values():
            for one in getattr(channel, "_channels", [channel]):
                carried.setdefault(one.producer_component_id, []).append(one.output_key)
        for before in components:
            if before.id in carried:
                edges.append(f"{before.id} -- {', '.join(carried[before.id])} --> {component.id}")
            elif before in component.upstream_nodes:
                edges.append(f"{before.id} -.-> {component.id}")
    assert [line.strip() for line in DATA_FLOW.splitlines()] == edges


def test_every_path_that_the_documentation_names_is_there():
    named = set()
    for file in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")]:
        folders = "benchmarks|command_line|components|configs|contract|docs|kubeflow|pipeline|tests|trainer"
        paths = re.findall(rf"`((?:{folders})/[\w./-]*)", file.read_text(encoding="utf-8"))
        named |= {(file.name, path) for path in paths}
    assert len(named) > 50
    made = "benchmarks/.torch"  # by `make pytorch`
    assert {(file, path) for file, path in named if path != made and not (ROOT / path).exists()} == set()

"""`fullbake lineage`: says what made a pushed model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fullbake.command_line.options import PATH, json_option
from fullbake.command_line.serving_folder import find_serving_folder
from fullbake.command_line.terminal import print_json, table_console

if TYPE_CHECKING:
    from rich.tree import Tree

    from fullbake.pipeline.lineage.lineage import Lineage

_PIPE_WIDTH = 200  # columns


@click.command()
@click.argument("model", metavar="MODEL", type=PATH)
@click.option("--root", type=PATH, help="The output root of the run that pushed it.  [default: where the model is]")
@json_option
def lineage(model: Path, root: Path | None, as_json: bool) -> None:
    """Say what made a pushed model: which data, config, base and executions, out of the metadata store.

    MODEL is a pushed version, a serving folder or an output root; of the last two, the version that serves.
    """
    version = _version(str(model))
    from fullbake.pipeline.lineage.lineage import trace

    found = trace(version, root or Path(version).parents[1])
    if as_json:
        print_json(found.to_dict())
    else:
        table_console(_PIPE_WIDTH).print(_tree(found), soft_wrap=True)


def _version(model: str) -> str:
    from fullbake.components.serving.pushed_models import versions

    path = os.path.abspath(model)
    if os.path.exists(os.path.join(path, "saved_model.pb")):
        return path
    return versions(find_serving_folder(path))[-1].path


def _tree(found: Lineage) -> Tree:
    from rich.tree import Tree

    copy = f", a copy of {found.copy_of} that a rollback made" if found.copy_of else ""
    tree = Tree(f"model {found.version}{copy}: pushed {_or_dash(found.pushed)} by run {_or_dash(found.run)}")
    data = tree.add(f"data: {_or_dash(found.input_base)}" + (f", span {found.span}" if found.span else ""))
    data.add(f"fingerprint {_or_dash(found.data)}")
    rejected = "" if found.rejected is None else f", {found.rejected:,} rejected"
    data.add(", ".join(f"{rows:,} {split}" for split, rows in found.examples.items()) + rejected)
    base = tree.add(f"base: {_or_dash(found.base)}")
    base.add(f"hash {_or_dash(found.base_hash)}")
    recipe = tree.add(f"recipe: {_or_dash(found.recipe)}, approach {_or_dash(found.approach)}")
    for name, version in found.versions.items():
        recipe.add(f"{name} {version}")
    if found.accuracy is not None:
        tree.add(f"judged: accuracy {found.accuracy:.3f} on the test split")
    if found.steps:
        steps = tree.add("made by")
        for step in found.steps:
            steps.add(f"{step.component}, execution {step.execution}: run {step.run}, {step.seconds:.1f} s")
    if found.again:
        tree.add(f"found in the cache by: {', '.join(found.again)}")
    if found.config is not None:
        tree.add("config").add(found.config.rstrip())
    if found.note is not None:
        tree.add(f"note: {found.note}")
    return tree


def _or_dash(text: str | None) -> str:
    return text or "–"

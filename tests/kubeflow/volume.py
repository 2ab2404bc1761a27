"""The volume of a cluster: data in spans, a base model and a serving folder, on this machine."""

from pathlib import Path
from typing import Any, NamedTuple

from fullbake.kubeflow.compiler import compile_package
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.config.loading import load_config
from tests.pipeline.planted import planted_rows, write_config, write_csv

HEADER = ["id", "comment", "class"]
HALF = 120  # rows of each span

Package = list[dict[str, Any]]


class Volume(NamedTuple):
    """What all containers see."""

    folder: Path

    def add_span(self, number: int) -> None:
        rows = planted_rows()[(number - 1) * HALF :][:HALF]
        write_csv(self.folder / f"data/span-{number}/rows.csv", HEADER, rows)

    @property
    def versions(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "serving").iterdir() if path.name.isdigit())

    def config(self, *overrides: str) -> Config:
        file = write_config(
            self.folder,
            str(self.folder / "base"),
            data={
                "input_base": str(self.folder / "data"),
                "pattern": "span-{SPAN}/*",
                "text_column": "comment",
                "label_column": "class",
                "label_map": {0: "kind", 1: "rude", 2: "plain"},
            },
            push={"serving_dir": str(self.folder / "serving")},
            # A random encoder of width 32 learns nothing in two epochs; its recall may be anything.
            gate={"min_recall": {"kind": 0.0, "rude": 0.0, "plain": 0.0}, "max_recall_drop": 1.0},
            kubeflow={"image": "fullbake:test", "volume": {"claim": "any", "mount_path": str(self.folder)}},
        )
        return load_config(file, overrides)

    def package(self, *overrides: str) -> Package:
        return compile_package(self.config(*overrides))

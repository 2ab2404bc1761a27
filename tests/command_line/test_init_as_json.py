import json
from pathlib import Path

import yaml

from tests.commands import answers


def test_init_prints_the_config_as_one_json_document(tmp_path: Path):
    rows = [f"{word} {number},{label}" for number in range(30) for word, label in (("good", "fine"), ("bad", "rude"))]
    (tmp_path / "data.csv").write_text("\n".join(["text,label", *rows, ""]), encoding="utf-8")
    asked = ["init", "data.csv", "--text", "text", "--label", "label"]
    plain, printed, written, refused = answers(
        tmp_path,
        [
            asked,
            [*asked, "--json"],
            [*asked, "--json", "--quiet", "--output", "config.yaml"],
            [*asked, "--json", "--output", "config.yaml"],
        ],
    )
    config = yaml.safe_load(plain.stdout)
    assert config["data"]["labels"] == ["fine", "rude"]
    assert json.loads(printed.stdout) == {"output": None, "config": config}
    assert json.loads(written.stdout) == {"output": "config.yaml", "config": config}
    assert yaml.safe_load((tmp_path / "config.yaml").read_text(encoding="utf-8")) == config
    assert (refused.code, refused.stdout) == (2, "")
    assert refused.stderr.startswith("fullbake: --output: ")

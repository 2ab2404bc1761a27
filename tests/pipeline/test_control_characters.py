"""What a file holds is shown on a terminal, and never obeyed by it."""

import re
from pathlib import Path

import pytest
import yaml

from fullbake.command_line.terminal import plain_console, warn
from fullbake.pipeline.config.loading import load_config

RED = "\x1b[31mred\x1b[0m"
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def write(folder: Path, header: str = "text,label") -> Path:
    rows = [f"text {number} {RED} \0,{('good', f'bad {RED}')[number % 2]}" for number in range(40)]
    rows += [f"\0,g\0od{number} {RED}" for number in range(3)] + [f"a text,{RED},\0"]
    (folder / "data").mkdir()
    file = folder / "data" / "train.csv"
    file.write_bytes("\n".join([header, *rows, ""]).encode() + b"caf\xe9 \x1b[31m,\x1b[2J\n")
    return file


def test_init_prints_none(fullbake, tmp_path: Path):
    done = fullbake("init", write(tmp_path), "--text", "text", "--label", "label")
    assert done.exit_code == 0
    assert not CONTROL.search(done.output)
    (tmp_path / "config.yaml").write_text(done.stdout, encoding="utf-8")
    data = load_config(tmp_path / "config.yaml").data
    assert data.label_map[f"bad {RED}"] in data.labels


HEADER = f"text{RED},la\0bel,\x9bx"


def test_a_header_that_lacks_a_column_is_shown_escaped_by_init_and_run(fullbake, base: Path, tmp_path: Path):
    file = write(tmp_path, HEADER)
    config = {
        "name": "small",
        "data": {"input_base": str(file.parent), "labels": ["good", "bad"]},
        "model": {"base": str(base), "max_length": 32},
        "gate": {"min_recall": {"good": 0.5, "bad": 0.5}},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    for arguments in (["init", file, "--text", "text", "--label", "label"], ["run", tmp_path / "config.yaml"]):
        done = fullbake(*arguments)
        assert done.exit_code == 2
        assert not CONTROL.search(done.output)
        assert r"(it has: text\x1b[31mred\x1b[0m, la\x00bel, \x9bx)" in done.stderr


def test_predict_prints_none(fullbake, model: str, tmp_path: Path):
    file = write(tmp_path, HEADER)
    done = fullbake("predict", "--model", model, "--input", file, "--output", tmp_path / "out.csv")
    assert done.exit_code == 2
    assert r"(it has: text\x1b[31mred\x1b[0m, la\x00bel, \x9bx)" in done.stderr
    assert not CONTROL.search(done.output)
    file.write_bytes(file.read_bytes().replace(HEADER.encode(), f"comment,{RED}".encode()))
    done = fullbake("predict", "--model", model, "--input", file, "--output", tmp_path / "out.csv")
    assert done.exit_code == 0
    assert "rows came back without a label" in done.output
    assert not CONTROL.search(done.output)
    done = fullbake("predict", "--model", model, f"so {RED}\u202e kind")
    assert r"so \x1b[31mred\x1b[0m\u202e kind" in done.stdout
    assert not CONTROL.search(done.output)


@pytest.mark.parametrize("text", [f"label {RED}", "\0 a NUL", "caf\udce9", "\x9b2J", "two\u2028lines", "\u202eback"])
def test_notes_tables_and_warnings_show_it_escaped(capsys: pytest.CaptureFixture[str], text: str):
    from rich.table import Table

    table = Table(text)
    table.add_row(text)
    console = plain_console(width=200)
    console.print(f"note: {text}\nnext")
    console.print(table)
    warn([text])
    shown = capsys.readouterr()
    assert "\nnext\n" in shown.out
    assert not CONTROL.search(shown.out + shown.err)
    assert not {"\u2028", "\u202e"} & set(shown.out + shown.err)

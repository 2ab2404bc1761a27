"""Files as people write them: the config that `init` makes of one reads each of its rows."""

from pathlib import Path

import pytest

from fullbake.components.data.data_files import opened
from fullbake.components.data.reading import quoting_of, read_rows
from fullbake.components.data.rows import BadRow, LineCount, Row
from fullbake.contract.errors import InputError
from fullbake.pipeline.config.config import Config
from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.first_config.first_config import make_first_config

TEXTS = [f"a text, number {number}" for number in range(8)]


def table(line: str, header: str = "", texts=TEXTS) -> str:
    """Returns a file of lines with {text} and {label} in their places."""
    lines = (line.format(text=text, label=("good", "bad")[number % 2]) for number, text in enumerate(texts))
    return header + "".join(lines)


def first_config(folder: Path, content: str | bytes, *columns: str, name: str = "train.csv") -> tuple[Config, str]:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    text = make_first_config(folder / name, *(columns or ("text", "label")))
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    return load_config(folder / "config.yaml"), text


def read(config: Config, name: str = "train.csv") -> list[Row | BadRow]:
    """Reads the file as a run does, and checks that its lines add up."""
    fmt, count, path = config.data.row_format, LineCount(), f"{config.data.input_base}/{name}"
    quoting = quoting_of(lambda: opened(path), name, fmt)
    with opened(path) as stream:
        rows = list(read_rows(stream, name, fmt, quoting=quoting, count=count))
    assert count.total == count.header + count.blank + sum(row.lines for row in rows)
    return rows


def texts(rows: list[Row | BadRow]) -> list[str]:
    assert [row for row in rows if isinstance(row, BadRow)] == []
    return [row.text for row in rows if isinstance(row, Row)]


@pytest.mark.parametrize(
    ("content", "expected", "key"),
    [
        (table('"{text}, \\"yes\\"",{label}\n', "text,label\n"), "{}, \"yes\"", 'escape_character: "\\\\"'),
        (table("{text}\\\tand\\\nmore\t{label}\n", "text\tlabel\n"), "{}\tand\nmore", 'escape_character: "\\\\"'),
        (table('{label};"c:\\\\dir {text}; \\""\n', "label;text\n"), 'c:\\dir {}; "', 'escape_character: "\\\\"'),
        (table("'{text}',{label}\n", "text,label\n"), "{}", 'quote_character: "\'"'),
        (table("'it''s {text}';'{label}'\n", "'text';'label'\n"), "it's {}", 'quote_character: "\'"'),
        (table("{label}\t'{text}\tthe \"end\"'\n", "label\ttext\n"), '{}\tthe "end"', 'quote_character: "\'"'),
        (table('{label}, "{text}"\n', "label, text\n"), "{}", "skip_initial_space: true"),
        (table('"{text}"; {label}\n', '"text"; "label"\n'), "{}", 'delimiter: ";"'),
        (table('{label}|  "so | so {text}"\n', "label| text\n"), "so | so {}", "skip_initial_space: true"),
        (table('"{text}",{label}\n', "# made in 2020\n#\ntext,label\n"), "{}", 'comment_prefix: "#"'),
        (table("{label}\t{text}\n", "% ARFF, nearly\nlabel\ttext\n"), "{}", 'comment_prefix: "%"'),
        (table('"{text}";{label}\n', "// a, b\n\n// c\ntext;label\n"), "{}", "comment_prefix: //"),
        (table('"{text}";{label}\r\n', "sep=;\r\ntext;label\r\n"), "{}", 'delimiter: ";"'),
        (table("{text}\t{label}\n", "sep=\t\ntext\tlabel\n"), "{}", 'delimiter: "\\t"'),
        (table("{text}#{label}\n", "sep=#\ntext#label\n"), "{}", 'delimiter: "#"'),
        (table('"{text}",{label},\n', "text,label\n"), "{}", "trailing_delimiter: true"),
        (table("{text}\t{label}\t\n", "text\tlabel\n"), "{}", "trailing_delimiter: true"),
        (table("{text};{label};\n", "text;label;\n"), "{}", 'delimiter: ";"'),
        (table('"{text}",{label}\n', "text,label,note\n"), "{}", "short_rows: fill"),
        (table("{text}\t{label}\n", "text\tlabel\tby\n") + "a text, number 8\tgood\tme\n", "{}", "short_rows: fill"),
        (table("{label}|{text}\n", "label|text|\n"), "{}", "short_rows: fill"),
        (table("{text} ||| {label}\n", "text ||| label\n"), "{}", 'delimiter: " ||| "'),
        (table("{label}::{text}: so\n", "label::text\n"), "{}: so", 'delimiter: "::"'),
        (table("{text}<sep>{label}\n", "text<sep>label\n"), "{}", 'delimiter: "<sep>"'),
        (table("{text}@{label}\n"), "{}", "line_pattern: "),
        (table("{label}:other {text}?\n"), "{}?", "line_pattern: "),
        (table("__label__{label} {text}: yes\n"), "{}: yes", "line_pattern: "),
        (table("me@{text} @you@{label}\n"), "me@{} @you", "line_pattern: "),
    ],
)  # fmt: skip
def test_the_config_reads_every_row_in_the_dialect_of_the_file(tmp_path: Path, content: str, expected: str, key: str):
    config, text = first_config(tmp_path, content)
    assert f"  {key}" in text
    assert "ambiguous" not in text
    found = texts(read(config))
    assert found == [expected.format(f"a text, number {number}") for number in range(len(found))]
    assert len(found) >= len(TEXTS)
    assert config.data.labels == ("bad", "good")


@pytest.mark.parametrize(
    ("line", "numbers", "columns"),
    [
        ("{text}\t{label}\tfine\n", ("1", "2"), ("text", "label", "_")),
        ("7,{label},\"{text}\"\n", ("3", "2"), ("_", "label", "text")),
        ("{label};{text};12;\n", ("2", "1"), ("label", "text", "_", "_")),
    ],
)  # fmt: skip
def test_a_file_without_a_header_is_read_by_the_numbers_of_its_columns(tmp_path: Path, line, numbers, columns):
    config, text = first_config(tmp_path, table(line), *numbers)
    assert config.data.columns == columns
    assert f"  columns: [{', '.join(columns)}]\n" in text
    assert "there is no header" in text
    assert texts(read(config)) == TEXTS


def test_pairs_and_columns_named_by_hand_need_no_header_either(tmp_path: Path):
    config, _ = first_config(tmp_path, table("{text}\tanother\t{label}\n"), "1", "3", "2")
    assert config.data.columns == ("text", "text_pair", "label")
    assert {row.text_pair for row in read(config)} == {"another"}


def test_numbers_mean_the_places_of_titles_where_there_are_some(tmp_path: Path):
    config, text = first_config(tmp_path, table("{text}\t{label}\n", "comment\tverdict\n"), "1", "2")
    assert (config.data.text_column, config.data.label_column, config.data.columns) == ("comment", "verdict", None)
    assert texts(read(config)) == TEXTS
    assert "no header" not in text


@pytest.mark.parametrize("line", ["{text}\t{label}\tfine\n", "{text};{label}\n", '1,"{text}",{label}\n'])
def test_a_missing_header_is_told_with_the_numbers_of_the_columns(tmp_path: Path, line: str):
    with pytest.raises(InputError, match="seems to have no header") as refused:
        first_config(tmp_path, table(line))
    found = [int(word) for word in str(refused.value).split() if word.isdecimal()]
    config, _ = first_config(tmp_path, table(line), *map(str, found))
    assert texts(read(config)) == TEXTS


def test_numbers_in_a_config_name_the_columns_of_files_without_a_header(tmp_path: Path):
    (tmp_path / "train.csv").write_text(table("{text}\t{label}\n"), encoding="utf-8")
    (tmp_path / "config.yaml").write_text(
        f'name: a\ndata:\n  input_base: {tmp_path}\n  pattern: "*.csv"\n  text_column: 1\n  label_column: 2\n'
        '  labels: [bad, good]\n  delimiter: "\\t"\ngate: {allow_no_bounds: true}\n',
        encoding="utf-8",
    )
    config = load_config(tmp_path / "config.yaml")
    assert config.data.columns == "numbered"
    assert texts(read(config)) == TEXTS


def test_a_quote_that_swallows_rows_is_noticed_whatever_the_quote_and_the_delimiter(tmp_path: Path):
    for quote, delimiter in (("'", ";"), ("'", " ||| "), ('"', "::")):
        rows = [f"{quote}quoted{delimiter}so{quote}{delimiter}good\n"] * 24
        rows[0] = f"a bad one{delimiter}bad\n"
        rows[4] = f"{quote}it opens{delimiter}bad\n"
        rows[5:9] = [f"a plain text{delimiter}bad\n"] * 4
        rows[9] = f"and closes{quote}{delimiter}good\n"
        config, text = first_config(tmp_path, f"text{delimiter}label\n" + "".join(rows))
        found = read(config)
        bad = [row.line for row in found if isinstance(row, BadRow)]
        assert bad == [6, 7, 8, 9, 10, 11]
        assert "6 rows (25.00%) cannot be used: 6 x lines joined by a quote" in text


@pytest.mark.parametrize("numbers", [("1", "5"), ("0", "1"), ("9", "2")])
def test_numbers_of_columns_that_are_not_there_are_told(tmp_path: Path, numbers: tuple[str, str]):
    with pytest.raises(InputError) as refused:
        first_config(tmp_path, table("{text}\t{label}\n"), *numbers)
    assert f"no delimiter gives the file columns of the numbers {', '.join(numbers)}, counted from 1" in str(
        refused.value
    )

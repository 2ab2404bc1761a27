"""Damages CSV files as files are damaged, from a seed, and checks that reading them is never quietly wrong.

`make mutate` runs 5,000 of them, `tests/components/test_csv_mutator.py` a few hundred. No TensorFlow: it is the
reading of the pipeline, `init`, and the reading half of `predict`.
"""

from __future__ import annotations

import csv
import faulthandler
import io
import random
import re
import resource
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from fullbake.components.data.dialect import Dialect
from fullbake.components.data.reading import check_file, quoting_of, read_rows
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import BadRow, LineCount, Row
from fullbake.components.data.same_text import digest_of, row_digest_of
from fullbake.components.data.text_encoding import decoded
from fullbake.contract.errors import InputError
from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.first_config.first_config import make_first_config
from fullbake.pipeline.prediction.csv_table import open_csv
from fullbake.pipeline.prediction.label_file import check_files
from fullbake.pipeline.prediction.table import CsvOptions
from tests.components.csv_damages import BYTE_DAMAGES, DAMAGES, PIECES

FILES = 5_000
SLOWEST = 10.0  # seconds that one file may take
MOST_MEMORY = 300  # MB by which the process may grow: a record of the greatest length, as the csv module holds it

ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "shift_jis", "gb18030")
LABELS = (["good", "bad"], ["0", "1", "2"], ["two words", "été"], ["good", ""], [f"class {n}" for n in range(30)])


def make(chosen: random.Random) -> tuple[bytes, str, str]:
    """Returns a file, damaged or not, its delimiter and its encoding."""
    delimiter = chosen.choice(",,,\t\t;|")
    labels = chosen.choice(LABELS)
    texts = ["".join(chosen.choices(PIECES, k=chosen.randrange(1, 9))) for _ in range(chosen.choice([0, 1, 5, 40, 40]))]
    if chosen.random() < 0.5:
        texts = [re.sub(r'["\r\n\0\t;,|]', " ", text) or "x" for text in texts]
    header = chosen.choice(
        [["text", "label"], ["label", "text"], ["id", "text", "label"], ["", "text", "pair", "label"]]
    )
    rows = [
        [
            {"text": text, "label": chosen.choice(labels), "id": number, "pair": "other"}.get(name, number)
            for name in header
        ]
        for number, text in enumerate(texts)
    ]
    if chosen.random() < 0.6:
        file = io.StringIO(newline="")
        quoting = chosen.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
        writer = csv.writer(
            file, delimiter=delimiter, quoting=quoting, lineterminator=chosen.choice(["\n", "\r\n", "\r"])
        )
        writer.writerows([[str(cell).replace("\0", "") for cell in row] for row in [header, *rows]])
        text = file.getvalue()
    else:  # as those write it who do not know of quotes
        text = "\n".join(delimiter.join(map(str, row)) for row in [header, *rows]) + chosen.choice(["\n", ""])
    for _ in range(chosen.choice([0, 0, 1, 1, 2, 5])):
        text = chosen.choice(DAMAGES)(text, chosen)
    encoding = chosen.choice(ENCODINGS)
    content = text.encode(encoding, "replace")
    for _ in range(chosen.choice([0, 0, 0, 1, 3])):
        content = chosen.choice(BYTE_DAMAGES)(content, chosen)
    return content, delimiter, encoding if chosen.random() < 0.9 else chosen.choice(ENCODINGS)


def check(content: bytes, delimiter: str, encoding: str, folder: Path) -> str:
    """Reads a file in every way.

    Returns:
        What came of it, in a word.

    Raises:
        AssertionError: A line is not accounted for, or the readers do not agree.
    """
    outcomes = [
        check_rows(
            content,
            RowFormat(
                "text", "label", labels, labelled=labelled, dialect=Dialect(delimiter=delimiter, encoding=encoding)
            ),
        )
        for labels, labelled in ((("good", "bad"), True), ((), True), ((), False))
    ]
    path = folder / "train.csv"
    path.write_bytes(content)
    check_labelling(path, delimiter, encoding)
    check_first_config(path)
    return outcomes[1]


def lines_of(content: bytes, encoding: str) -> int:
    return sum(1 for _ in decoded(io.BytesIO(content), encoding))


def check_rows(content: bytes, fmt: RowFormat) -> str:
    def opened() -> io.BytesIO:
        return io.BytesIO(content)

    count, rows = LineCount(), []
    try:
        check_file(opened(), "train.csv", fmt)
        quoting = quoting_of(opened, "train.csv", fmt)
        rows = list(read_rows(opened(), "train.csv", fmt, quoting=quoting, count=count))
    except InputError as error:
        told(error)
        return "refused"
    good = [row for row in rows if isinstance(row, Row)]
    bad = [row for row in rows if isinstance(row, BadRow)]
    assert len(rows) == len(good) + len(bad)
    assert count.total == lines_of(content, fmt.dialect.encoding)
    assert count.total == count.header + count.blank + sum(row.lines for row in rows)
    last = count.header
    for row in rows:
        assert row.line > last or row.lines == 0, "a line is in two rows"
        last = row.line + row.lines - 1
    for row in good:
        assert row.text.strip()
        assert not fmt.labels or row.label in fmt.labels
        assert bool(row.label) == fmt.labelled
        digest_of(row.text), row_digest_of(row.text, row.text_pair)
    for row in bad:
        assert row.reason.isprintable(), row.reason
    return "ordinary quotes" if quoting.ordinary else "joined" if quoting.joined else "some bad" if bad else "all good"


def check_labelling(path: Path, delimiter: str, encoding: str) -> None:
    try:
        check_files(path, path.with_name("out.csv"), delimiter=delimiter, encoding=encoding, quoting="auto")
        with open_csv(path, CsvOptions(Dialect(delimiter, encoding))) as found:
            rows = list(found.rows)
    except InputError as error:
        told(error)
        return
    assert found.line_count.total == lines_of(path.read_bytes(), encoding)
    assert found.line_count.total == found.line_count.header + found.line_count.blank + sum(row.lines for row in rows)
    assert all(len(row.fields) == len(found.columns) for row in rows)


def check_first_config(path: Path) -> None:
    try:
        text = make_first_config(path, "text", "label")
    except InputError as error:
        told(error)
        return
    (path.parent / "config.yaml").write_text(text, encoding="utf-8")
    fmt = load_config(path.parent / "config.yaml", ()).data.row_format
    quoting = quoting_of(lambda: path.open("rb"), path.name, fmt)
    with path.open("rb") as stream:
        used = sum(isinstance(row, Row) for row in read_rows(stream, path.name, fmt, quoting=quoting))
    assert f", {used:,} usable rows" in text, f"{used} rows are usable by the config"


def told(error: InputError) -> None:
    assert str(error)
    assert "\n" not in str(error)


def run(files: int, seed: int = 0) -> Counter[str]:
    """Makes and checks files; a failure names the seed of its file.

    Returns:
        How often each outcome came.

    Raises:
        RuntimeError: One was read wrong, took too long, or too much memory.
    """
    outcomes: Counter[str] = Counter()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with TemporaryDirectory() as folder:
        for number in range(files):
            name = f"{seed}-{number}"
            started = time.process_time()
            faulthandler.dump_traceback_later(6 * SLOWEST, exit=True)  # it hangs
            try:
                outcomes[check(*make(random.Random(name)), Path(folder))] += 1  # noqa: S311
            except Exception as error:
                raise RuntimeError(f"file {name}: {type(error).__name__}: {error}") from error
            finally:
                faulthandler.cancel_dump_traceback_later()
            if (took := time.process_time() - started) > SLOWEST:
                raise RuntimeError(f"file {name} took {took:.1f} s")
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    if grown > MOST_MEMORY:
        raise RuntimeError(f"memory grew by {grown:.0f} MB")
    return outcomes


if __name__ == "__main__":
    print(dict(run(int(sys.argv[1]) if len(sys.argv) > 1 else FILES)))

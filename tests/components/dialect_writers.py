"""How programs write a table as text: Python's csv module, pandas, Excel, databases, R and people."""

import csv
import io
from collections.abc import Callable

import pandas as pd

Table = list[list[str]]
Write = Callable[[Table], str]


def python(**options) -> Write:
    """What `csv.writer` writes with these options."""

    def write(table: Table) -> str:
        stream = io.StringIO(newline="")
        csv.writer(stream, **{"lineterminator": "\n", **options}).writerows(table)
        return stream.getvalue()

    return write


def pandas(**options) -> Write:
    """What `DataFrame.to_csv` writes with these options."""
    return lambda table: pd.DataFrame(table[1:], columns=table[0]).to_csv(index=False, **options)


def excel(delimiter: str) -> Write:
    """CSV with the line that tells Excel its delimiter."""
    return lambda table: f"sep={delimiter}\r\n" + python(delimiter=delimiter, lineterminator="\r\n")(table)


def joined(delimiter: str, cell: Callable[[str], str]) -> Write:
    """Cells, each as it is made, with a delimiter between."""
    return lambda table: "".join(delimiter.join(map(cell, row)) + "\n" for row in table)


def doubled(value: str) -> str:
    """A cell as R writes it with `qmethod = "double"`, and Oracle, and Postgres with `FORCE_QUOTE *`."""
    return '"' + value.replace('"', '""') + '"'


def outfile(value: str) -> str:
    """A cell of MySQL's `SELECT ... INTO OUTFILE`."""
    return value.replace("\\", "\\\\").replace("\t", "\\\t").replace("\n", "\\\n")


def copied(value: str) -> str:
    """A cell of Postgres' `COPY ... TO` in its text format."""
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def commented(table: Table) -> str:
    """CSV below lines of comment."""
    return "# made by hand, 2020\n# what; else\n" + python()(table)


def trailing(table: Table) -> str:
    """CSV whose rows, but for the header, end in a delimiter."""
    return python()(table[:1]) + python(lineterminator=",\n")(table[1:])


WRITERS: dict[str, Write] = {
    "R write.csv": joined(",", doubled),
    "R write.csv2": joined(";", doubled),
    "R write.table tabs": joined("\t", doubled),
    "MySQL outfile": joined("\t", outfile),
    "Postgres copy": joined("\t", copied),
    "spaces": joined(", ", doubled),
    "three bars": joined(" ||| ", doubled),
    "colons": joined("::", doubled),
    "comments": commented,
    "trailing": trailing,
    "old Mac": python(lineterminator="\r", quoting=csv.QUOTE_ALL),
}
for _delimiter in ",\t;|":
    WRITERS |= {
        f"csv {_delimiter!r}": python(delimiter=_delimiter),
        f"csv {_delimiter!r} CRLF": python(delimiter=_delimiter, lineterminator="\r\n"),
        f"csv {_delimiter!r} all": python(delimiter=_delimiter, quoting=csv.QUOTE_ALL),
        f"csv {_delimiter!r} single": python(delimiter=_delimiter, quotechar="'"),
        f"csv {_delimiter!r} escaped": python(delimiter=_delimiter, doublequote=False, escapechar="\\"),
        f"csv {_delimiter!r} escaped all": python(
            delimiter=_delimiter, doublequote=False, escapechar="\\", quoting=csv.QUOTE_ALL
        ),
        f"csv {_delimiter!r} unquoted": python(delimiter=_delimiter, quoting=csv.QUOTE_NONE, escapechar="\\"),
        f"pandas {_delimiter!r}": pandas(sep=_delimiter),
        f"pandas {_delimiter!r} all": pandas(sep=_delimiter, quoting=csv.QUOTE_ALL),
        f"Excel {_delimiter!r}": excel(_delimiter),
    }

LOSE_CARRIAGE_RETURNS = {"MySQL outfile", *(name for name in WRITERS if name.endswith("unquoted"))}
"""Those that leave a carriage return as it is, so that no reader knows it from the end of a line."""

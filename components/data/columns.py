"""Where the wanted columns are among those that a file has."""

from collections.abc import Sequence

from fullbake.components.data.data_folders import INPUT_BASE
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.text_encoding import printable
from fullbake.contract.errors import InputError
from fullbake.contract.nearest import did_you_mean

_LONGEST_SHOWN = 200  # characters of a list of columns, or of a value


def find_columns(titles: Sequence[str], fmt: RowFormat, name: str, source: str, advice: str = "") -> dict[str, int]:
    """Finds each wanted column.

    Args:
        titles: The names of the file's columns, as they are compared.
        fmt: Names the wanted ones. White space around a name does not count.
        name: What to call the file in errors.
        source: The setting that names the file's folder, for errors.
        advice: What else an error about a column that is not there says, a question.

    Returns:
        By its name in the format, the place of each column among the titles.

    Raises:
        InputError: A wanted column is not there, or several have its name.
    """
    return {column: _find(key, column, titles, name, source, advice) for key, column in fmt.wanted}


def _find(key: str, column: str, titles: Sequence[str], name: str, source: str, advice: str) -> int:
    found = [place for place, title in enumerate(titles) if title == column.strip()]
    if len(found) == 1:
        return found[0]
    # The columns are named for input_base's files; where another folder's differ, the folder is the likelier fault.
    where, wanted = (key, "{column!r}") if source == INPUT_BASE else (source, "{column!r} ({" + key + "})")
    if found:
        raise InputError(
            f"{{file}} has {{count}} columns named {wanted}; rename the others in its header",
            field=where,
            file=name,
            count=len(found),
            column=column,
        )
    shown = ", ".join(printable(title) or "(no name)" for title in titles)
    raise InputError(
        f"{wanted} is not a column of {{file}} (it has: {{found}}){{meant}}{{advice}}",
        field=where,
        column=column,
        file=name,
        found=shorten(shown),
        meant=did_you_mean(column, titles),
        advice=advice,
    )


def shorten(text: str) -> str:
    """Returns a text as an error can show it, its end left out where it is long."""
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "..."

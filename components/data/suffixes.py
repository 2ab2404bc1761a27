"""What the names of data files end in, by format, before a suffix that says that they are compressed."""

TEXT_LINES = (".txt",)
JSON_LINES = (".jsonl", ".ndjson")
JSON = (".json",)
PARQUET = (".parquet",)
ARROW = (".arrow", ".feather")
EXCEL = (".xlsx", ".xlsm")


def claimed(name: str) -> tuple[str, ...]:
    """Returns the suffixes of the format that a file's name says; none where it says none, which is CSV.

    Args:
        name: The name, without a suffix that says that the file is compressed.
    """
    return next((found for found in (TEXT_LINES, JSON_LINES, JSON, PARQUET, ARROW, EXCEL) if name.endswith(found)), ())

"""The body of a predict request, read as TensorFlow Serving reads it, for inputs that are one string a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from fullbake.pipeline.serving.api_error import ApiError, bad_request
from fullbake.pipeline.serving.json_document import decoded_base64, is_base64, quoted, text_bytes, type_name

Columns = dict[str, list[bytes]]
"""By input, its value in each row."""

ROW_KEY = "instances"
COLUMN_KEY = "inputs"


class PredictRequest(NamedTuple):
    """What is to be predicted.

    Attributes:
        columns: The inputs.
        by_row: Whether they came row by row, and the answer is to go likewise.
    """

    columns: Columns
    by_row: bool


def signature_name(document: dict[str, Any]) -> str | None:
    """Returns the name of the signature that a request wants; None: the default one.

    Raises:
        ApiError: It is no string.
    """
    name = document.get("signature_name")
    if "signature_name" in document and not isinstance(name, str):
        wrong = "not formatted correctly. 'signature_name' key must be a string value."
        raise bad_request(f"JSON Value: {quoted(document)} {wrong}")
    return name or None


def read_predict_request(document: dict[str, Any], inputs: Sequence[str]) -> PredictRequest:
    """Returns the inputs in a request.

    Args:
        document: The request.
        inputs: The names of the signature's inputs.

    Raises:
        ApiError: They are not as they should be.
    """
    if ROW_KEY in document and COLUMN_KEY in document:
        wrong = f"Not formatted correctly expecting only one of '{COLUMN_KEY}' or '{ROW_KEY}' keys to exist "
        raise bad_request(f"JSON Value: {quoted(document)} {wrong}")
    if ROW_KEY in document:
        rows = document[ROW_KEY]
        if not isinstance(rows, list):
            raise bad_request(f"JSON Value: {quoted(document)} Excepting '{ROW_KEY}' to be an list/array")
        if not rows:
            raise bad_request(f"JSON Value: {quoted(document)} No values in '{ROW_KEY}' array")
        return PredictRequest(_from_rows(rows, sorted(inputs)), by_row=True)
    if COLUMN_KEY in document:
        return PredictRequest(_from_columns(document[COLUMN_KEY], sorted(inputs)), by_row=False)
    raise bad_request(f"Missing '{COLUMN_KEY}' or '{ROW_KEY}' key")


def _from_rows(rows: list[Any], inputs: list[str]) -> Columns:
    if len(inputs) > 1 and not isinstance(rows[0], dict):
        raise bad_request(
            "instances is a plain list, but expecting list of objects as multiple "
            "input tensors required as per tensorinfo_map"
        )
    named = _is_named(rows[0])
    columns: Columns = {name: [] for name in inputs}
    for number, row in enumerate(rows):
        if _is_named(row) != named:
            wanted, got = ("object", "list") if named else ("value/list", "object")
            raise bad_request(f"Expecting {wanted} but got {got} at item {number} of input list")
        for name, value in (row if named else {inputs[0]: row}).items():
            key = f" key: {name}" if named else ""
            try:
                if name not in columns:
                    raise bad_request(f"JSON object: does not have named input: {name}")
                columns[name].append(_value(value, level=0))
            except ApiError as error:
                # Serving quotes the inner error with the name of its code.
                wrong = f"Failed to process element: {number}{key} of '{ROW_KEY}' list. Error: "
                raise bad_request(f"{wrong}INVALID_ARGUMENT: {error.text}") from error
        if named and sorted(row) != inputs:
            raise bad_request(
                f"Failed to process element: {number} of '{ROW_KEY}' list. JSON object: {quoted(row)} "
                f"keys must be equal to: {','.join(inputs)}"
            )
    return columns


def _from_columns(given: Any, inputs: list[str]) -> Columns:
    if not _is_named(given):
        if len(inputs) > 1:
            raise bad_request(
                "inputs is a plain value/list, but expecting an object as multiple "
                "input tensors required as per tensorinfo_map"
            )
        given = {inputs[0]: given}
    columns: Columns = {}
    for name in inputs:
        if name not in given:
            raise bad_request(f"Missing named input: {name} in '{COLUMN_KEY}' object.")
        column = given[name]
        if not isinstance(column, list):
            raise bad_request(f"input {name} must be a list of strings, one for each row")
        columns[name] = [_value(value, level=1) for value in column]
    if len({len(column) for column in columns.values()}) > 1:
        raise bad_request(f"the inputs {', '.join(inputs)} must have the same number of rows")
    return columns


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not is_base64(value)


def _value(value: Any, level: int) -> bytes:
    if isinstance(value, str):
        return text_bytes(value)
    if is_base64(value):
        return decoded_base64(value)
    if isinstance(value, list):
        raise bad_request(f"Encountered list at unexpected level: {level} expected < {level}")
    if isinstance(value, dict):
        raise bad_request(f"JSON Value: {quoted(value)} not formatted correctly for base64 data")
    raise bad_request(f"JSON Value: {quoted(value)} Type: {type_name(value)} is not of expected type: string")

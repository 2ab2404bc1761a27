"""Reads and quotes JSON as TensorFlow Serving does (`util/json_tensor.cc`, which uses RapidJSON)."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from fullbake.pipeline.serving.api_error import ApiError, bad_request

BASE64_KEY = "b64"
_QUOTED = 300  # characters of a value that an error quotes; TensorFlow Serving quotes all of it
_NOT_SINGULAR = "The document root must not be followed by other values."

# By the beginning of what Python says, what RapidJSON says (its `error/en.h`).
_SAYINGS = {
    "Expecting value": "Invalid value.",
    "Expecting property name": "Missing a name for object member.",
    "Expecting ':'": "Missing a colon after a name of object member.",
    "Unterminated string": "Missing a closing quotation mark in string.",
    "Invalid control character": "Invalid encoding in string.",
    "Invalid \\escape": "Invalid escape character in string.",
    "Invalid \\uXXXX": "Incorrect hex digit after \\u escape in string.",
    "Extra data": _NOT_SINGULAR,
}


def read_document(body: bytes) -> dict[str, Any]:
    """Returns the object that a request's body is.

    Args:
        body: JSON. Strings may hold bytes that are not UTF-8, which come through as they are.

    Raises:
        ApiError: It is no JSON, or no object.
    """
    if not body:
        raise bad_request("JSON Parse error: The document is empty")
    text = body.decode("utf-8-sig", "surrogateescape")
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        offset = len(text[: error.pos].encode("utf-8", "surrogateescape"))
        raise _no_json(_saying(error), offset) from error
    except RecursionError as error:
        raise bad_request(
            "JSON Parse error: Terminate parsing due to Handler error. It is nested too deeply"
        ) from error
    except ValueError as error:  # a number of thousands of digits
        raise bad_request("JSON Parse error: Number too big to be stored in double.") from error
    if not isinstance(document, dict):
        raise bad_request(f"JSON Value: {quoted(document)} Is not object")
    return document


def _no_json(saying: str, offset: int) -> ApiError:
    return bad_request(f"JSON Parse error: {saying} at offset: {offset}")


def _saying(error: json.JSONDecodeError) -> str:
    if error.msg.startswith("Expecting ','"):
        if _open_brackets(error.doc[: error.pos]).endswith("{"):
            return "Missing a comma or } after an object member."
        return "Missing a comma or ] after an array element."
    if not error.doc.strip():
        return "The document is empty."
    return next(said for start, said in _SAYINGS.items() if error.msg.startswith(start))


def _open_brackets(text: str) -> str:
    found, quoted_now, escaped_now = [], False, False
    for letter in text:
        if quoted_now:
            quoted_now = escaped_now or letter != '"'
            escaped_now = letter == "\\" and not escaped_now
        elif letter == '"':
            quoted_now = True
        elif letter in "[{":
            found.append(letter)
        elif letter in "]}":
            found.pop()
    return "".join(found)


def quoted(value: Any) -> str:
    """Returns a JSON value as an error quotes it."""
    text = json.dumps(value, indent=4, ensure_ascii=False)
    text = text.encode("utf-8", "replace").decode()  # bytes that were not UTF-8 are no text
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}..."


def type_name(value: Any) -> str:
    """Returns what TensorFlow Serving calls a JSON value's type."""
    if value is None:
        return "Null"
    names = {dict: "Object", list: "Array", str: "String", bool: str(value)}
    return names.get(type(value), "Number")


def text_bytes(value: str) -> bytes:
    """Returns a JSON string's bytes.

    Raises:
        ApiError: It has half of a surrogate pair, which no bytes stand for.
    """
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise bad_request("JSON Parse error: The surrogate pair in string is invalid.") from error


def is_base64(value: Any) -> bool:
    """Returns whether a JSON value is an object that stands for bytes."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get(BASE64_KEY), str)


def decoded_base64(value: dict[str, str]) -> bytes:
    """Returns the bytes that an object stands for.

    Raises:
        ApiError: They are not encoded in base 64.
    """
    try:
        encoded = value[BASE64_KEY].rstrip("=")
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise bad_request("Unable to base64 decode") from error


def short_float(value: float) -> float:
    """Returns a float32 rounded to the nine digits that tell it from every other, as TensorFlow Serving writes it."""
    return float(f"{value:.9g}")

"""The bodies of answers, as TensorFlow Serving shapes them; a row of the answer is a line, for people to read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from fullbake.contract.names import LABEL_OUTPUT, PROBABILITIES_OUTPUT
from fullbake.pipeline.serving.json_document import short_float
from fullbake.pipeline.serving.served_model import Answers


def error_body(text: str) -> bytes:
    """Returns the body of an error."""
    return f'{{ "error": {json.dumps(text, ensure_ascii=False)} }}\n'.encode("utf-8", "replace")


def predictions_body(answers: Answers) -> bytes:
    """Returns the answer to a request by rows."""
    rows = zip(answers.labels, answers.probabilities, strict=True)
    return _listing(
        "predictions", ({LABEL_OUTPUT: label, PROBABILITIES_OUTPUT: _short(scores)} for label, scores in rows)
    )


def outputs_body(answers: Answers) -> bytes:
    """Returns the answer to a request by columns."""
    outputs = {LABEL_OUTPUT: answers.labels, PROBABILITIES_OUTPUT: [_short(row) for row in answers.probabilities]}
    return _line({"outputs": outputs}) + b"\n"


def classifications_body(answers: Answers, labels: Sequence[str]) -> bytes:
    """Returns the answer to a classify request: by row, each label with its probability."""
    return _listing(
        "results", ([list(pair) for pair in zip(labels, _short(row), strict=True)] for row in answers.probabilities)
    )


def _listing(key: str, rows: Iterable[Any]) -> bytes:
    return b'{"%s": [\n%s\n]}\n' % (key.encode(), b",\n".join(map(_line, rows)))


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def _short(scores: Sequence[float]) -> list[float]:
    return list(map(short_float, scores))

import csv
import io

import pytest

from fullbake.components.evaluation.judged_texts import TextPlan, TextRow, as_csv, csv_header


@pytest.mark.parametrize("text", ["one\ntwo", "one\rtwo", "one\r\n\r\ntwo", 'a "quoted", word', "plain"])
def test_a_text_with_line_breaks_stays_one_row_of_the_predictions(text):
    plan = TextPlan(("fine", "rude"), (), False, ("text",), "", "", "")
    row = TextRow({"text": text}, ("fine",), (), ("rude",), (0.25, 0.75), None)
    file = io.StringIO(f"{csv_header(plan)}\n{as_csv(row, plan)}\n", newline="")
    assert list(csv.DictReader(file)) == [
        {"text": text, "label": "fine", "decided": "rude", "p_fine": "0.25", "p_rude": "0.75"}
    ]

"""What `predict` prints of texts, given or piped in."""

import io
import json
from pathlib import Path

import pytest
import tf_keras
from click.testing import CliRunner, Result

from fullbake.command_line.main import main
from fullbake.contract.errors import InputError
from fullbake.pipeline.prediction import stdin_texts
from fullbake.pipeline.prediction.predictor import Predictor
from fullbake.pipeline.prediction.stdin_texts import piped_texts
from tests.pipeline.tiny_model import LABELS, TEXTS, export


@pytest.fixture(scope="module")
def uneven(base: Path, transform, tmp_path_factory: pytest.TempPathFactory) -> str:
    return export(base, transform, tmp_path_factory.mktemp("uneven"), ("fine", "very rude", "可愛い"))


@pytest.fixture(scope="module")
def several(base: Path, transform, tmp_path_factory: pytest.TempPathFactory) -> str:
    tf_keras.utils.set_random_seed(1)  # of the head
    return export(base, transform, tmp_path_factory.mktemp("several"), LABELS, task_name="multi_label")


def predict(*arguments: object, piped: bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["predict", *map(str, arguments)], input=piped, catch_exceptions=False)


def expected(model: str, texts: list[str]) -> list[dict]:
    predictor = Predictor(model)
    found = predictor.predict({"text": [text.encode() for text in texts]})
    return [
        {
            "text": text,
            **({"labels": [name for name, _ in p.decided]} if predictor.multi_label else {"label": p.label}),
            "probabilities": dict(zip(predictor.labels, p.probabilities, strict=True)),
        }
        for text, p in zip(texts, found, strict=True)
    ]


def test_labels_and_probabilities_of_several_texts_stand_under_each_other(uneven: str):
    wanted = expected(uneven, TEXTS)
    assert len({row["label"] for row in wanted}) > 1
    lines = predict("--model", uneven, *TEXTS).stdout.splitlines()
    widths = {"fine": 4, "very rude": 9, "可愛い": 6}  # what a terminal takes for them
    width = max(widths[row["label"]] for row in wanted)
    assert lines == [
        row["label"]
        + " " * (width - widths[row["label"]])
        + f"  {max(row['probabilities'].values()):.3f}  {row['text']}"
        for row in wanted
    ]
    assert predict("--model", uneven, "what").stdout.split() == lines_of_one(uneven, "what")


def lines_of_one(model: str, text: str) -> list[str]:
    (row,) = expected(model, [text])
    return [*row["label"].split(), f"{max(row['probabilities'].values()):.3f}", text]


@pytest.mark.parametrize("kind", ["uneven", "several"])
def test_with_json_stdout_is_one_list_with_all_probabilities(request: pytest.FixtureRequest, kind: str):
    model = request.getfixturevalue(kind)
    texts = [*TEXTS, 'a "quoted"\nline \x1b[31m é']
    printed = json.loads(predict("--model", model, "--json", *texts).stdout)
    for row, wanted in zip(printed, expected(model, texts), strict=True):
        assert list(row) == list(wanted)
        assert row | {"probabilities": 0} == wanted | {"probabilities": 0}
        assert row["probabilities"] == pytest.approx(wanted["probabilities"], abs=1e-5)


@pytest.mark.parametrize("convention", [[], ["--input", "-"]])
def test_lines_that_are_piped_in_are_labelled_like_texts(uneven: str, convention: list[str]):
    piped = "\ufeff".encode() + "\r\n".join([TEXTS[0], "", *TEXTS[1:]]).encode()
    lines = predict("--model", uneven, *convention, piped=piped).stdout.splitlines()
    given = predict("--model", uneven, *TEXTS).stdout.splitlines()
    assert [line.split() for line in lines] == [line.split() for line in given]
    # However many lines come at once, the columns stand under each other.
    one = predict("--model", uneven, piped=f"{TEXTS[0]}\n".encode()).stdout.splitlines()
    assert one[0] in lines


def test_nothing_piped_in_says_what_is_missing(uneven: str):
    for piped in (b"", b"\n  \n"):
        done = predict("--model", uneven, piped=piped)
        assert (done.exit_code, done.stdout) == (2, "")
        assert "fullbake: predict: there is nothing to label: give texts, " in done.output


def test_lines_are_handed_on_as_they_come_whatever_they_are_cut_into():
    class Slow(io.BytesIO):
        def read1(self, size: int = -1) -> bytes:
            return self.read(2)

    text = "\ufeffaé\n\nb c\r\n世界"
    found = list(piped_texts(Slow(text.encode())))
    assert len(found) > 1
    assert [line for lines in found for line in lines] == ["aé".encode(), b"b c", "世界".encode()]


def test_a_line_without_an_end_does_not_take_the_memory(monkeypatch):
    monkeypatch.setattr(stdin_texts, "MAX_TEXT_CHARACTERS", 10)
    with pytest.raises(InputError, match=r"^--input: a line on stdin is longer than 10 bytes; part it$"):
        list(piped_texts(io.BytesIO(b"short\n" + b"long" * 10)))


def test_a_piped_table_goes_through_to_stdout_and_words_for_people_to_stderr(model: str):
    table = "id;comment\n1;you are\n2;a bad idiot\n"
    done = predict("--model", model, "--input", "-", "--output", "-", piped=table.encode("utf-16"))
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "id;comment;label;p_fine;p_rude;p_odd"
    assert [line.split(";")[:2] for line in lines[1:]] == [["1", "you are"], ["2", "a bad idiot"]]
    assert "2 rows labelled: -" in done.stderr
    done = predict("--model", model, "--input", "-", "--output", "-", piped=b"you are\n\nbad\n")
    assert [line.split(",")[0] for line in done.stdout.splitlines()] == ["comment", "you are", '""', "bad"] or [
        line.split(",")[0] for line in done.stdout.splitlines()
    ] == ["comment", "you are", "", "bad"]
    done = predict("--model", model, "--input", "-", "--output", "-", piped=b'{"comment": "you are"}\n')
    assert list(json.loads(done.stdout)) == ["comment", "label", "p_fine", "p_rude", "p_odd"]

"""`--explain`: the words that pushed a decision, of a model that learned planted ones."""

import json
from pathlib import Path

import pandas as pd
import pytest
import tensorflow as tf
import tf_keras
from click.testing import CliRunner

from fullbake.command_line.main import main
from fullbake.pipeline.prediction.explanation import explain_predictions
from fullbake.pipeline.prediction.predictor import Predictor
from fullbake.trainer.export import export_model
from fullbake.trainer.models.classifier import Classifier
from tests.components.data_formats import FORMATS
from tests.pipeline.planted import FILLER, LABELS, SIGNAL
from tests.trainer.trainings import make_spec

SENTENCES = ["you are a {} person", "what a {} day is it", "{} you are the very good", "not the good of you {}"]


@pytest.fixture(scope="module")
def planted(base: Path, transform, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model that was trained until the planted word of a text decides its label."""
    return train(base, transform, tmp_path_factory.mktemp("planted"))


@pytest.fixture(scope="module")
def planted_labels(base: Path, transform, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same, of any number of labels."""
    return train(base, transform, tmp_path_factory.mktemp("planted"), task_name="multi_label")


def train(base: Path, transform, folder: Path, **changes) -> str:
    tf_keras.utils.set_random_seed(3)
    spec = make_spec(
        base, **{"head": "linear", "labels": tuple(LABELS), "text_columns": {"text": "comment"}, **changes}
    )
    classifier = Classifier.from_base(base, "linear", tuple(LABELS))
    # A text without a planted word is plain: else what the model says of one would be chance.
    words = {"kind": SIGNAL["kind"], "rude": SIGNAL["rude"], "plain": "day"}
    rows = [(sentence.format(words[label]), place) for sentence in SENTENCES for place, label in enumerate(LABELS)]
    rows += [(sentence.format(""), LABELS.index("plain")) for sentence in SENTENCES]
    rows += [(f"{word} {words[label]} very", place) for word in FILLER for place, label in enumerate(LABELS)]
    texts, classes = [text for text, _ in rows], [place for _, place in rows]
    found = transform.transform_features_layer()({"text": tf.constant(texts)[:, None]})
    tokens = {name: tf.cast(value, tf.int32) for name, value in found.items()}
    optimizer = tf_keras.optimizers.Adam(3e-3)
    for _ in range(60):
        with tf.GradientTape() as tape:
            targets = tf.one_hot(classes, 3) if changes else tf.constant(classes)
            loss = tf.reduce_mean(spec.task.losses(targets, classifier(tokens)))
        variables = classifier.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
    assert loss < 0.1
    export_model(classifier, spec, transform, folder, base=base, thresholds={})
    return str(folder)


def predict(*arguments: object) -> str:
    done = CliRunner().invoke(main, ["predict", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


PLANTED = ["kind", "rude"]
TEXTS = [SENTENCES[number].format(SIGNAL[label]) for number, label in enumerate(PLANTED)]


def test_under_each_text_the_planted_word_comes_first(planted: str):
    lines = predict("--model", planted, "--explain", *TEXTS).splitlines()
    assert [line.split()[0] for line in lines[::2]] == PLANTED
    assert [line.split()[0] for line in lines[1::2]] == [SIGNAL[label] for label in PLANTED]
    assert all(line.startswith("    ") and " +" in line for line in lines[1::2])


def test_in_json_each_part_has_its_label_and_what_the_probability_loses_without_it(planted: str):
    for row in json.loads(predict("--model", planted, "--explain", "--json", *TEXTS)):
        first = row["explanation"][0]
        assert (first["label"], first["words"]) == (row["label"], SIGNAL[row["label"]])
        without = row["text"].replace(first["words"], "", 1)
        (other,) = json.loads(predict("--model", planted, "--json", without))
        change = row["probabilities"][row["label"]] - other["probabilities"][row["label"]]
        assert first["change"] == pytest.approx(change, abs=1e-3)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".json", ".parquet", ".feather", ".xlsx"])
def test_a_file_has_a_column_of_them(planted: str, tmp_path: Path, suffix: str):
    source, target = tmp_path / "in.csv", tmp_path / f"out{suffix}"
    source.write_text("comment,explanation\n" + "\n".join(f"{text},x" for text in [*TEXTS, '""']), encoding="utf-8")
    predict("--model", planted, "--explain", "--input", source, "--output", target)
    read = {
        ".csv": lambda file: pd.read_csv(file, keep_default_na=False),
        ".jsonl": lambda file: pd.read_json(file, lines=True),
        ".json": pd.read_json,
        ".parquet": pd.read_parquet,
        ".feather": pd.read_feather,
        ".xlsx": lambda file: pd.read_excel(file, keep_default_na=False),
    }[suffix]
    rows = read(target)
    assert list(rows.columns) == [
        "comment",
        "input_explanation",
        "label",
        *(f"p_{label}" for label in LABELS),
        "explanation",
    ]
    assert [text.split()[0] for text in rows["explanation"][:2]] == [SIGNAL[label] for label in PLANTED]
    assert not rows["explanation"].fillna("")[2]


def test_quotes_that_mean_nothing_do_not_let_an_explanation_break_its_row(planted: str, tmp_path: Path):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text('id,comment\n1,"lovely day\n2,idiot "\n', encoding="utf-8")
    predict("--model", planted, "--explain", "--quoting", "none", "--input", source, "--output", target)
    rows = pd.read_csv(target)
    assert rows["comment"].tolist() == ['"lovely day', 'idiot "']
    assert rows["explanation"].notna().all()


def test_of_several_labels_each_is_explained_and_the_model_asked_no_more_often(planted_labels: str, monkeypatch):
    predictor = Predictor(planted_labels)
    text = "you lovely are the idiot " + "very good " * 30
    asked = []
    ask = predictor.predict

    def counted(texts):
        asked.append(len(texts["text"]))
        return ask(texts)

    predictor.thresholds = dict.fromkeys(LABELS, 0.001)
    texts = {"text": [text.encode()]}
    predictions = predictor.predict(texts)
    monkeypatch.setattr(predictor, "predict", counted)
    (pushes,) = explain_predictions(predictor, texts, predictions)
    assert len(asked) == 1
    assert asked[0] <= 21
    assert len({push.label for push in pushes}) > 1
    printed = predict("--model", planted_labels, "--explain", "--threshold", "0.3", TEXTS[1]).splitlines()
    assert printed[1].strip().startswith(f"{LABELS[1]}: {SIGNAL[LABELS[1]]} +")


def test_nothing_is_explained_where_nothing_was_decided(planted_labels: str):
    for options in ([], ["--json"]):
        printed = predict("--model", planted_labels, "--explain", "--threshold", "1", *options, "zzz")
        assert json.loads(printed)[0]["explanation"] == [] if options else "(no label)" in printed


def test_words_of_a_text_cannot_steer_the_terminal(planted: str):
    printed = predict("--model", planted, "--explain", "lovely\x1b[31m day")
    assert "\x1b" not in printed


def test_the_columns_of_a_hugging_face_stream_know_their_types(planted: str, tmp_path: Path):
    source, target = tmp_path / "in.arrow", tmp_path / "out.arrow"
    source.write_bytes(FORMATS[".arrow"](pd.DataFrame({"comment": TEXTS})))
    predict("--model", planted, "--explain", "--input", source, "--output", target)
    import pyarrow as pa

    table = pa.ipc.open_stream(target.read_bytes()).read_all()
    assert table.schema.field("explanation").type == pa.string()

"""The Report component: its count of lengths against Hugging Face's tokenizer, and the page it leaves."""

import json
import re
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from ml_metadata import metadata_store
from tfx.dsl.components.common.importer import Importer
from tfx.orchestration import metadata
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.pipeline import Pipeline
from tfx.types import standard_artifacts
from transformers import BertTokenizerFast

from fullbake.components.data.row_format import RowFormat
from fullbake.components.evaluation.decision_metrics import CONFIDENCE, CONFUSION, SCORES
from fullbake.components.evaluation.gate import GateSpec, judge
from fullbake.components.evaluation.summary import shares, summarize
from fullbake.components.nodes.example_gen import CsvExampleGen
from fullbake.components.nodes.report import Report
from fullbake.components.tokenizer.split_tokens import SplitCounter
from fullbake.components.tokenizer.tokenizer_spec import TokenizerSpec
from fullbake.contract.names import (
    EVALUATION_FILE,
    INGEST_FILE,
    PRETRAINING_FILE,
    REPORT_FILE,
    REPORT_PARTS_FILE,
    TRAINING_FILE,
    TUNER_RESULTS_FILE,
)
from tests.components.raw_examples import write_examples

TEXTS = [
    "",
    "idiot",
    "You are a GOOD person!",
    "Grüße, 世界 👋",
    "unbelievable zzz <b>fool</b>",
    *[" ".join(["garden"] * count) for count in (7, 8, 10, 11, 500)],
    *["it is"] * 5000,  # more than are counted at once
]
PAIRS = ["is it?", "", "\u200b", *["the day"] * (len(TEXTS) - 3)]


@pytest.mark.parametrize("pairs", [False, True], ids=["texts", "pairs"])
def test_lengths_are_those_of_hugging_faces_tokenizer(base: Path, tmp_path: Path, pairs: bool):
    columns = (TEXTS, PAIRS) if pairs else (TEXTS,)
    write_examples(tmp_path / "split", [("fine", *texts) for texts in zip(*columns, strict=True)])
    counted, _ = SplitCounter(TokenizerSpec(str(base), None, 12, "head")).count(str(tmp_path / "split"))
    lengths = [len(ids) for ids in BertTokenizerFast.from_pretrained(base)(*map(list, columns))["input_ids"]]
    expected = np.bincount(np.minimum(lengths, 13), minlength=14).tolist()
    assert counted.max_length == 12
    assert list(counted.counts) == expected
    assert counted.truncated == sum(length > 12 for length in lengths) > 1
    assert counted.rows == len(TEXTS)
    assert expected[12] > 0, "no text is just as long as fits"


@pytest.fixture(scope="module")
def report(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the component leaves for a refused model."""
    return run_component(base, tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def report_of_more(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after further pre-training, on a corpus too, and a search for a learning rate; the rows are read."""
    folder = tmp_path_factory.mktemp("report")
    texts = [f"garden number {number}" for number in range(60)]
    (folder / "data").mkdir()
    (folder / "data/a.csv").write_text("text,label\n" + "".join(f"{text},fine\n" for text in texts))
    (folder / "corpus").mkdir()
    (folder / "corpus/a.txt").write_text("\n".join([*texts, "a day", "the day"]))
    rows = CsvExampleGen(
        str(folder / "data"),
        "*",
        RowFormat("text", "label", ("fine", "rude")),
        {"train": 8, "eval": 1, "test": 1},
        corpus_base=str(folder / "corpus"),
    )
    evaluations = [{"step": 0, "epoch": 0.0, "perplexity": 88.4}, {"step": 9, "epoch": 1.0, "perplexity": 21.0}]
    tried = [{"trial_id": "1", "score": 0.9, "learning_rate": 3e-5}, {"trial_id": "0", "score": 0, "learning_rate": 9}]
    more = {"pretraining": {"evaluations": evaluations, "rows": 999}, "tuning": tried}
    return run_component(base, folder, rows=rows, **more)


def run_component(
    base: Path,
    folder: Path,
    *,
    rows: CsvExampleGen | None = None,
    pretraining: dict | None = None,
    tuning: list | None = None,
) -> Path:
    """Runs the component by TFX's local runner, on what `rows` reads if given, and gives the folder it leaves."""
    labels = ["fine", "rude"]
    confusion = np.array([[78.0, 2], [12, 8]])
    bins = np.zeros(1000)
    bins[900] = 100
    correct, sums = bins * 0.86, bins * 0.9
    scores = np.stack([np.outer(rows, bins / 100) for rows in (confusion.sum(axis=1)[::-1], confusion.sum(axis=1))])
    counts = {CONFUSION: confusion, SCORES: scores, CONFIDENCE: np.stack([bins, correct, sums])}
    gate = GateSpec(tuple(labels), min_recall={"fine": 0.8, "rude": 0.6})
    evaluation = summarize(counts, labels, bounds=judge(gate, *shares(counts, labels), None)).to_dict()
    ingest = {"read": 1001, "used": 1000, "rejected": 1, "reasons": {"missing text": 1}}
    ingest |= {"examples": {"train": 3}, "labels": {"train": {"fine": 2, "rude": 1}}}
    training = {"epochs": [{"epoch": 1, "loss": 0.5, "eval_loss": 0.6}], "best_epoch": 1}
    training |= {"parameters": {"total": 1234567, "trainable": 7}, "approach": "frozen", "warnings": ["Too hot."]}
    write_examples(folder / "examples/Split-train", [("fine", "you are good"), ("rude", "idiot"), ("fine", "a " * 99)])
    for name, values in ((EVALUATION_FILE, evaluation), (TRAINING_FILE, training), (INGEST_FILE, ingest)):
        place = folder / {EVALUATION_FILE: "evaluation", TRAINING_FILE: "run", INGEST_FILE: "examples"}[name]
        place.mkdir(exist_ok=True)
        (place / name).write_text(json.dumps(values))

    def importer(name: str, kind, **properties: str) -> Importer:
        return Importer(str(folder / name), kind, properties=properties).with_id(name)

    inputs = {
        "examples": rows or importer("examples", standard_artifacts.Examples, split_names='["train"]'),
        "model_run": importer("run", standard_artifacts.ModelRun),
        "evaluation": importer("evaluation", standard_artifacts.ModelEvaluation),
    }
    for name, kind, file, values in (
        ("pretraining_run", standard_artifacts.ModelRun, PRETRAINING_FILE, pretraining),
        ("tuner_results", standard_artifacts.TunerResults, TUNER_RESULTS_FILE, tuning),
    ):
        if values is not None:
            (folder / name).mkdir()
            (folder / name / file).write_text(json.dumps(values))
            inputs[name] = importer(name, kind)
    component = Report(
        **{name: node.outputs["examples" if node is rows else "result"] for name, node in inputs.items()},
        title="garden party",
        config="name: garden party\n",
        tokenizer=json.dumps(TokenizerSpec(str(base), None, 12, "head").to_dict()),
    )
    connection = metadata.sqlite_metadata_connection_config(str(folder / "metadata.sqlite"))
    LocalDagRunner().run(
        Pipeline("report", str(folder / "pipeline"), connection, components=[*inputs.values(), component])
    )
    (artifact,) = metadata_store.MetadataStore(connection).get_artifacts_by_type("RunReport")
    return Path(artifact.uri)


def words_of(report: Path) -> str:
    page = (report / REPORT_FILE).read_text(encoding="utf-8")
    return " ".join(unescape(re.sub("<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)).split())


def test_the_report_of_a_refused_model_says_why_in_words(report: Path):
    words = words_of(report)
    assert "Refused: recall of 'rude' is 0.40, its bound is 0.60: 0.20 short" in words
    assert words.index("Refused") < words.index("Too hot.")
    for said in ("garden party", "1,234,567", "missing text", "frozen"):
        assert said in words


def test_what_the_page_was_made_of_is_kept_beside_it(report: Path):
    parts = json.loads((report / REPORT_PARTS_FILE).read_text(encoding="utf-8"))
    assert parts["evaluation"]["recall"] == {"fine": 0.975, "rude": 0.4}
    assert parts["lengths"]["truncated"] == 1
    assert parts["lengths"]["rows"] == 3
    assert parts["training"]["best_epoch"] == 1
    assert parts["ingest"]["rejected"] == 1
    assert {"python", "fullbake", "tensorflow", "transformers"} <= set(parts["versions"])


def test_further_pre_training_and_the_search_for_a_rate_are_told_of_where_there_were_any(
    report: Path, report_of_more: Path
):
    words = words_of(report_of_more)
    assert "it went from 88.4 to 21.0" in words
    assert "The best was taken, 3e-5." in words
    headings = ("Further pre-training", "Learning rate: which of them was best")
    assert all(heading in words for heading in headings)
    assert not any(heading in words_of(report) for heading in headings)


def test_the_page_tells_how_many_texts_came_from_the_corpus_and_how_many_of_it_were_left_out(
    report: Path, report_of_more: Path
):
    parts = json.loads((report_of_more / REPORT_PARTS_FILE).read_text(encoding="utf-8"))
    examples = parts["ingest"]["examples"]
    learned, left_out = examples["train"] + 2, examples["eval"] + examples["test"]
    assert left_out
    assert "corpus_rows" not in parts["pretraining"]
    words = words_of(report_of_more)
    assert f"guessing hidden words, in 999 texts, {learned} of them from a corpus without labels. Perplexity" in words
    assert f"Why texts of the corpus were left out Rows also in the eval or test split {left_out}" in words
    assert "corpus" not in words_of(report)

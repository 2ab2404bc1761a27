"""The card of a model, read by those who show it: the hub's own library, and a parser of Markdown."""

import re

import pytest
import yaml
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from fullbake.components.evaluation.wilson import wilson
from fullbake.components.model_card.card import model_card
from fullbake.components.model_card.facts import CardSettings, Facts
from fullbake.contract.results.about import About
from fullbake.contract.results.ingest import Ingest, Repeats
from fullbake.contract.results.training import Training
from fullbake.trainer.windows import Windows
from tests.components.label_reports import label_evaluation
from tests.components.reports import evaluation_of, passing_report, report_of

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
NASTY = (
    "a: b # no comment",
    "| x | **bold** | `code` |",
    '<script>alert("1")</script>',
    "[click](http://evil.example) ![](x.png)",
    "---",
    "'\"\\ {{ 7 * 7 }} {% raw %}",
    "```` www.evil.example ~~~ @someone",
    "- 1. yes",
    "null",
)
NAME = "name: [of] *all* | <b>things</b>\n---\nlicense: mit"
SETTINGS = CardSettings("comments", 128, "head_tail", None, {"epochs": 3, "batch_size": 16, "class_weights": "none"})


def facts_of(evaluation, rows_of, settings=SETTINGS, **about) -> Facts:
    report = report_of(evaluation, rows_of)
    known = {"labels": tuple(rows_of), "text_features": ("text",), "head": "hf", "approach": "fine_tune"}
    known |= {"base": "distilbert-base-uncased", "versions": {"tensorflow": "2.16.2"}}
    return Facts(settings, About.from_dict(known | about), report.evaluation, report.ingest, report.training)


def nasty_facts(**about) -> Facts:
    rows_of = dict.fromkeys(NASTY, 40)
    bounds = [("recall", label, 0.5) for label in NASTY]
    evaluation = evaluation_of(rows_of, dict.fromkeys(NASTY, 0.9), bounds, seed=1)
    settings = CardSettings(NAME, 128, "head", None, {"class_weights": "one | two"})
    return facts_of(evaluation, rows_of, settings, base=f"/home/{NASTY[2]}/base", **about)


def good_facts(**about) -> Facts:
    report = passing_report()
    return facts_of(report.evaluation.to_dict(), {"non_toxic": 420, "toxic": 80}, **about)


def rendered(card: str) -> str:
    return MARKDOWN.render(ModelCard(card).text)


@pytest.mark.parametrize("hugging_face", [True, False])
def test_the_hub_reads_what_was_measured(hugging_face: bool):
    facts = good_facts()
    data = ModelCard(model_card(facts, hugging_face=hugging_face)).data
    assert data.model_name == "comments"
    assert (data.base_model, data.pipeline_tag) == ("distilbert-base-uncased", "text-classification")
    assert data.library_name == ("transformers" if hugging_face else "tensorflow")
    assert data.license is None
    found = {(one.metric_type, (one.metric_args or {}).get("label")): one.metric_value for one in data.eval_results}
    evaluation = facts.evaluation
    assert found[("accuracy", None)] == evaluation.accuracy
    assert found[("f1", None)] == evaluation.macro_f1
    for label in evaluation.labels:
        assert found[("recall", label)] == evaluation.recall[label]
        assert found[("precision", label)] == evaluation.precision[label]
        assert found[("f1", label)] == evaluation.f1[label]
    assert len(found) == len(data.eval_results) == 8
    assert {(one.task_type, one.dataset_split) for one in data.eval_results} == {("text-classification", "test")}


@pytest.mark.parametrize("head", ["hf", "mlp"])
@pytest.mark.parametrize("hugging_face", [True, False])
def test_labels_and_names_that_mean_something_to_yaml_or_markdown_are_shown_as_they_are(head: str, hugging_face: bool):
    card = ModelCard(model_card(nasty_facts(head=head), hugging_face=hugging_face))
    assert card.data.model_name == " ".join(NAME.split())
    assert card.data.license is None
    labels = [one.metric_args["label"] for one in card.data.eval_results if one.metric_type == "recall"]
    assert labels == list(NASTY)
    page = MARKDOWN.render(card.text)
    cells = re.findall("<td[^>]*>(.*?)</td>", page)
    shown = [
        cell.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&") for cell in cells
    ]
    for label in NASTY:
        assert shown.count(" ".join(label.split())) == 2, label
    assert set(re.findall("<([a-z0-9]+)", page)) <= {
        *("h1", "h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "pre", "code")
    }
    assert len(re.findall("<h1>", page)) == 1
    assert "/home" not in str(card)


def test_it_says_how_sure_the_numbers_are_what_was_asked_and_what_it_was_made_of():
    facts = good_facts()
    page = " ".join(re.sub("<[^>]+>", " ", rendered(model_card(facts, hugging_face=False))).split())
    tally = facts.evaluation.tallies["toxic"]
    low, high = wilson(tally.found, tally.texts)
    assert f"toxic 80 {tally.found / tally.texts:.2f} {low:.2f}–{high:.2f}" in page
    assert "recall of 'toxic' at least 0.60" in page
    assert "Every bound was met." in page
    assert "toxic 640 (16%) 80 (16%) 80 (16%)" in page
    assert "The likeliest label is decided. The probabilities are as they were trained" in page
    assert "epoch that was kept 2 of 3" in page
    assert "head_tail" in page
    assert "No license is stated" in page


def test_thresholds_temperature_windows_and_contradictions_are_told():
    facts = good_facts()
    evaluation = facts.evaluation.model_copy(update={"decision_threshold": 0.25, "temperature": 1.75})
    repeats = Repeats(duplicates=4, conflicting_texts=2, conflicting_rows=5, first_conflict="a.csv, line 7")
    ingest = facts.ingest.model_copy(update={"repeats": repeats})
    settings = CardSettings("comments", 32, "windows", Windows(length=32, overlap=8, most=4, pooling="max"))
    card = model_card(Facts(settings, facts.about, evaluation, ingest, Training()), hugging_face=True)
    page = " ".join(re.sub("<[^>]+>", " ", rendered(card)).split())
    assert "“toxic” is decided from a probability of 0.250" in page
    assert "a temperature of 1.750, fitted on the eval split, is in the weights" in page
    assert "windows of 32 tokens, at most 4 of them, pooled by max" in page
    assert "label and all: 4. Texts with several labels: 2, in 5 rows" in page
    assert "a.csv" not in page
    assert "transformers knows nothing of the thresholds" in page


def test_of_several_labels_each_says_from_where_it_is_decided_and_pairs_have_two_texts():
    evaluation = label_evaluation(("toxic", "insult"), rows=60)
    evaluation = evaluation.model_copy(update={"decision_thresholds": {"toxic": 0.2, "insult": 0.5}})
    about = About(labels=evaluation.labels, text_features=("text", "text_pair"), head="linear", task="multi_label")
    ingest = Ingest.from_dict({"read": 600, "used": 600, "examples": {"train": 480, "eval": 60, "test": 60}})
    page = rendered(model_card(Facts(SETTINGS, about, evaluation, ingest), hugging_face=False))
    assert "any number of 2 labels" in page
    assert "Decided from" in page
    assert "0.200</td>" in page
    assert "another text" in page
    hub = ModelCard(model_card(Facts(SETTINGS, about, evaluation, ingest), hugging_face=True))
    assert hub.data.pipeline_tag == "feature-extraction", "transformers has no class for this head"
    assert "head.safetensors" in hub.text


def test_a_base_that_is_no_repository_of_the_hub_is_not_said_to_be_one():
    for base in ("package:minilm/model", "/data/models/mine", "C:\\models\\mine", None):
        assert ModelCard(model_card(good_facts(base=base), hugging_face=True)).data.base_model is None
    assert "the folder mine" in model_card(good_facts(base="/data/models/mine/"), hugging_face=True)


def test_the_front_matter_is_plain_yaml_and_the_same_facts_make_the_same_card():
    card = model_card(nasty_facts(), hugging_face=True)
    assert card == model_card(nasty_facts(), hugging_face=True)
    front = card.split("\n---\n", 1)[0].removeprefix("---\n")
    assert set(yaml.safe_load(front)) == {"library_name", "metrics", "pipeline_tag", "tags", "model-index"}

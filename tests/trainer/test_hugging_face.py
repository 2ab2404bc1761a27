"""The exported folder in Hugging Face's own hands gives the probabilities that are served: TensorFlow and PyTorch."""

import dataclasses
import json
import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import tensorflow as tf
import tensorflow_transform as tft
from transformers import (
    AutoTokenizer,
    BertTokenizerFast,
    TFAutoModel,
    TFAutoModelForMaskedLM,
    pipeline,
)

from benchmarks.torch_environment import ENVIRONMENT, python_of
from fullbake.contract.names import HF_FOLDER
from fullbake.trainer.encoder.families import ACTIVATIONS, FAMILIES
from fullbake.trainer.encoder.transformers_encoder import TransformersEncoder
from fullbake.trainer.export import export_model
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.tasks.table import TASKS
from tests.conftest import VOCABULARY, make_base, make_transform
from tests.trainer.exported_combinations import COMBINATIONS, Combination
from tests.trainer.trainings import make_spec

DOCS = Path(__file__).parents[2] / "docs/bases.md"
WIDTH = 16
TEXTS = [
    "you are a bad idiot",
    "What A LOVELY Garden!",
    "it",
    "",
    "the day is [SEP] not [MASK] it",
    "the day is </s> not <mask> it",
    "naïve 漢字 fool?",
    # Longer than the model reads: what stands at its two ends decides.
    "idiot " * 20 + "lovely garden " * 20,
    "lovely garden " * 20 + "idiot " * 20,
]
# The pipeline takes a second text that is empty for none at all: none is.
PAIRS = [[one, other or "it"] for one, other in zip(TEXTS, TEXTS[3:] + TEXTS[:3], strict=True)]


NAMES = {"argvalues": COMBINATIONS, "ids": lambda combination: combination.name}


def scatter(variables: Iterable[tf.Variable]) -> None:
    """Changes an untrained model at random, so that it tells texts apart."""
    for variable in variables:
        variable.assign_add(tf.random.stateless_normal(variable.shape, (1, 2), stddev=0.1))


def spread_logits(classifier: Classifier, transform: tft.TFTransformOutput, texts: dict[str, tf.Tensor]) -> None:
    """Gives the logits of each label, over these texts, mean 0 and deviation 1: then a slip of one token is seen."""
    kernel, bias = (
        variable
        for path, variable in classifier.paths().items()
        if re.search(r"(logits|out_proj|head/classifier)/\w+$", path)
    )
    tokens = transform.transform_features_layer()({name: column[:, None] for name, column in texts.items()})
    features = {name: tf.cast(value, tf.int32) for name, value in tokens.items()}
    kernel.assign(kernel / tf.math.reduce_std(classifier(features), axis=0))
    bias.assign_sub(tf.reduce_mean(classifier(features), axis=0))


def edit(file: Path, changes: dict[str, Any]) -> None:
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def make_odd_base(of: Combination, folder: Path) -> Path:
    """A base with what earlier hands have left in it."""
    base = make_base(folder / "plain", of.family)
    cased = [*VOCABULARY, "A", "L", "##O", "##V", "##E", "##L", "##Y"]
    if of.family not in ("bert", "distilbert", "electra"):
        tokenizer = AutoTokenizer.from_pretrained(base)
    else:
        (base / "vocab.txt").write_text("\n".join(cased if not of.lowercase else VOCABULARY) + "\n", encoding="utf-8")
        tokenizer = BertTokenizerFast(str(base / "vocab.txt"), do_lower_case=of.lowercase)
    # As all-MiniLM's is kept: it pads and cuts whatever it is given.
    tokenizer.backend_tokenizer.enable_padding(length=40)
    tokenizer.backend_tokenizer.enable_truncation(40)
    tokenizer.save_pretrained(base)
    edit(base / "tokenizer_config.json", of.tokenizer)
    if not of.lowercase:
        _widen_vocabulary(base, len(cased))
    if of.old_labels or of.half:
        head = "hf" if of.old_labels else "linear"
        earlier = Classifier.from_base(base, head, of.old_labels or ("a", "b"))
        scatter(earlier.variables)
        earlier.encoder.write(base, folder / "odd")
        base = folder / "odd"
    if of.half:
        tensors = safetensors.numpy.load_file(base / "model.safetensors")
        tensors = {name: value.astype("float16") for name, value in tensors.items()}
        safetensors.numpy.save_file(tensors, base / "model.safetensors", {"format": "pt"})
    edit(base / "config.json", of.config)
    return base


def _widen_vocabulary(base: Path, rows: int) -> None:
    model = TFAutoModel.from_pretrained(base)
    model.resize_token_embeddings(rows)
    model.save_pretrained(base, safe_serialization=True)


@dataclasses.dataclass(frozen=True)
class Exported:
    """A model, and what it answers when it is served."""

    of: Combination
    version: Path
    rows: list[Any]
    served: np.ndarray

    @property
    def inputs(self) -> list[Any]:
        """The rows as Hugging Face's pipeline takes them."""
        return [dict(zip(("text", "text_pair"), row, strict=True)) for row in self.rows] if self.of.pairs else self.rows


def _is_special(of: Combination, row: Any) -> bool:
    """Whether Hugging Face takes what is typed there for a special token: docs/bases.md, "SentencePiece"."""
    taken = {"xlm-roberta": "</s>", "camembert": "</s>", "deberta-v2": "[SEP]"}
    return of.family in taken and taken[of.family] in str(row)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory):
    """Exports a combination, once."""
    made: dict[str, Exported] = {}

    def export(of: Combination) -> Exported:
        if of.name not in made:
            folder = tmp_path_factory.mktemp("combination")
            base = make_odd_base(of, folder)
            transform = make_transform(base, folder / "transform", of.labels, WIDTH, text_pair=of.pairs)
            classifier = Classifier.from_base(base, of.head, of.labels, pooling=of.pooling, task=TASKS[of.task])
            scatter(classifier.variables)
            rows: list[Any] = [row for row in (PAIRS if of.pairs else TEXTS) if not _is_special(of, row)]
            columns = list(zip(*rows, strict=True)) if of.pairs else [rows]
            texts = {name: tf.constant(column) for name, column in zip(("text", "text_pair"), columns, strict=False)}
            spread_logits(classifier, transform, texts)
            spec = make_spec(base, head=of.head, labels=of.labels, pooling=of.pooling, task_name=of.task)
            export_model(classifier, spec, transform, folder / "model", base=base)
            answer = tf.saved_model.load(str(folder / "model")).signatures["serving_default"](**texts)
            made[of.name] = Exported(of, folder / "model", rows, answer["probabilities"].numpy())
        return made[of.name]

    return export


def test_texts_are_told_apart(exported):
    # Else any folder would seem to give what is served.
    for of in COMBINATIONS:
        served = exported(of).served
        assert np.ptp(served, axis=0).max() > 0.3, of.name
        assert np.abs(served[-1] - served[-2]).max() > 0.01, of.name


def probabilities(answer: list[dict[str, float]], labels: tuple[str, ...]) -> np.ndarray:
    assert [set(row) for row in answer] == [set(labels)] * len(answer)
    return np.array([[row[label] for label in labels] for row in answer])


@pytest.mark.parametrize("of", **NAMES)
def test_hugging_face_on_tensorflow_gives_what_is_served(exported, of: Combination):
    model = exported(of)
    if of.head == "hf":
        # Without torch_dtype=None the pipeline looks for PyTorch, whatever the framework.
        folder = str(model.version / HF_FOLDER)
        classify = pipeline("text-classification", model=folder, framework="tf", top_k=None, torch_dtype=None)
        answers = classify(model.inputs, truncation=True)
        found = [{score["label"]: score["score"] for score in answer} for answer in answers]
        np.testing.assert_allclose(probabilities(found, of.labels), model.served, atol=1e-5)
        return
    tokenizer = AutoTokenizer.from_pretrained(model.version / HF_FOLDER)
    encoder = TFAutoModel.from_pretrained(model.version / HF_FOLDER)
    columns = [list(column) for column in zip(*model.rows, strict=True)] if of.pairs else [model.rows]
    tokens = tokenizer(*columns, truncation=True, padding=True, return_tensors="tf")
    hidden, mask = encoder(tokens).last_hidden_state.numpy(), tokens["attention_mask"].numpy()[:, :, None]
    vectors = hidden[:, 0] if of.pooling == "cls" else (hidden * mask).sum(1) / mask.sum(1)
    head = safetensors.numpy.load_file(model.version / HF_FOLDER / "head.safetensors")
    for block in ("0", "1") if of.head == "mlp" else ():
        dense = {name: head[f"dense_{block}.{name}"] for name in ("weight", "bias")}
        norm = {n: head[f"batch_normalization_{block}.{n}"] for n in ("weight", "bias", "running_mean", "running_var")}
        vectors = vectors @ dense["weight"].T + dense["bias"]
        vectors = (vectors - norm["running_mean"]) / np.sqrt(norm["running_var"] + 1e-3) * norm["weight"] + norm["bias"]
        vectors = np.maximum(vectors, 0)
    logits = vectors @ head["logits.weight"].T + head["logits.bias"]
    np.testing.assert_allclose(TASKS[of.task].probabilities(logits), model.served, atol=1e-5)


# [CLS] you are a [MASK] person [SEP]
MASKED_ROW = [[2, 5, 6, 7, 4, 12, 3]]


@pytest.fixture(scope="module")
def masked_lms(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Path, np.ndarray]]:
    """By family and activation, the folder of a masked LM and its logits."""
    found = []
    cases = [(family, "gelu") for family in FAMILIES] + [("bert", name) for name in ACTIVATIONS[1:]]
    for family, activation in cases:
        folder = tmp_path_factory.mktemp("masked")
        base = make_base(folder / "base", family)
        if activation != "gelu":
            edit(base / "config.json", {"hidden_act": activation})
        model = TFAutoModelForMaskedLM.from_pretrained(base)
        scatter(model.variables)
        TransformersEncoder(model).write(base, folder / "hf")
        found.append((f"{family}, {activation}", folder / "hf", model(tf.constant(MASKED_ROW)).logits.numpy()))
    return found


@pytest.mark.skipif(not (ENVIRONMENT / ".complete").exists(), reason="make pytorch installs PyTorch and runs this")
def test_pytorch_gives_what_is_served(exported, masked_lms, tmp_path: Path):
    snippets = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    snippet = next(snippet for snippet in snippets if "head.safetensors" in snippet)
    models = [exported(of) for of in COMBINATIONS]
    jobs: list[dict[str, Any]] = [
        {"do": "classified", "folder": str(model.version / HF_FOLDER), "rows": model.inputs}
        if model.of.head == "hf"
        else {"do": "by_the_docs", "snippet": snippet, "version": str(model.version), "rows": model.rows}
        for model in models
    ]
    jobs += [{"do": "filled", "folder": str(folder), "ids": MASKED_ROW} for _, folder, _ in masked_lms]
    (tmp_path / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
    script = Path(__file__).with_name("pytorch_answers.py")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [python_of(ENVIRONMENT), "-W", "ignore", script, "jobs.json", "answers.json"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    answers = json.loads((tmp_path / "answers.json").read_text(encoding="utf-8"))
    for model, answer in zip(models, answers, strict=False):
        found = (
            [probabilities(each, model.of.labels) for each in answer] if model.of.head == "hf" else [np.array(answer)]
        )
        for each in found:
            print(f"{model.of.name}: {np.abs(each - model.served).max():.1e}")
            np.testing.assert_allclose(each, model.served, atol=1e-5, err_msg=model.of.name)
    for (name, _, logits), answer in zip(masked_lms, answers[len(models) :], strict=True):
        print(f"masked LM, {name}: {np.abs(np.array(answer) - logits).max():.1e}")
        np.testing.assert_allclose(answer, logits, atol=1e-4, err_msg=name)

"""The servable check on models that serve and models that do not, by TFX's local runner."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf
from ml_metadata import metadata_store
from tfx.dsl.components.common.importer import Importer
from tfx.orchestration import metadata
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.pipeline import Pipeline
from tfx.types import standard_artifacts

from fullbake.components.nodes.servable_check import PROBE, ServableCheck
from fullbake.components.serving.servable_probe import UNTIL_STDIN_ENDS
from fullbake.components.serving.servable_probe import main as probe
from fullbake.contract.names import ABOUT_FILE
from fullbake.trainer.export import export_model
from fullbake.trainer.models.classifier import Classifier
from tests.conftest import make_transform
from tests.trainer.trainings import make_spec

# Says what the probe has imported, once it is done.
WATCHED = """
import atexit, runpy, sys
sys.argv = sys.argv[1:]
atexit.register(lambda: print("LOADED", *sorted(name.partition(".")[0] for name in sys.modules)))
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def save_keyword_model(
    folder: Path,
    rules: dict[str, str],
    *,
    sure: float = 0.9,
    finish: Callable[[tf.Tensor], tf.Tensor] = lambda probabilities: probabilities,
    signatures: tuple[str, ...] = ("serving_default", "examples"),
    text_features: tuple[str, ...] = ("text",),
    default_in_examples: str | None = None,
) -> Path:
    """Saves a model laid out as an exported one that decides by the first keyword it finds, so its rates are known.

    Args:
        folder: Made if missing.
        rules: Label to keyword, in the order of the class index; texts with no keyword get the last label.
        sure: The probability given to the label that is decided; the other labels share the rest.
        finish: What becomes of the probabilities `(rows, labels)` before they are given out.
        signatures: Those it has.
        text_features: The columns of text it takes; rules look at the first.
        default_in_examples: The label of serialized examples with no keyword, where it is another than that of texts.
    """
    labels = list(rules)

    def decide(text: tf.Tensor, default: str = labels[-1]) -> dict[str, tf.Tensor]:
        index = tf.fill(tf.shape(text), labels.index(default))
        for number, keyword in reversed(list(enumerate(rules.values()))):
            index = tf.where(tf.strings.regex_full_match(text, f"(?s).*{keyword}.*"), number, index)
        rest = (1 - sure) / (len(labels) - 1)
        probabilities = tf.one_hot(index, len(labels), on_value=sure, off_value=rest)
        return {"label": tf.gather(tf.constant(labels), index), "probabilities": finish(probabilities)}

    columns = [tf.TensorSpec([None], tf.string, name=name) for name in text_features]

    @tf.function(input_signature=columns)
    def from_texts(*texts):
        return decide(texts[0])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def from_examples(examples):
        spec = {name: tf.io.FixedLenFeature([], tf.string) for name in text_features}
        return decide(tf.io.parse_example(examples, spec)["text"], default_in_examples or labels[-1])

    every = {"serving_default": from_texts, "examples": from_examples}
    model = tf.Module()
    model.kept = list(every.values())
    tf.saved_model.save(model, str(folder), signatures={name: every[name] for name in signatures})
    about = {"labels": labels, "text_features": list(text_features)}
    (folder / ABOUT_FILE).parent.mkdir()
    (folder / ABOUT_FILE).write_text(json.dumps(about), encoding="utf-8")
    return folder


RULES = {"fine": "good", "rude": "idiot"}


@pytest.fixture(scope="module")
def exported(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model artifact with a tiny classifier as the Trainer exports it."""
    transform = make_transform(base, tmp_path_factory.mktemp("transform"), tuple(RULES))
    folder = tmp_path_factory.mktemp("model")
    classifier = Classifier.from_base(base, "linear", tuple(RULES))
    spec = make_spec(base, head="linear", labels=tuple(RULES))
    export_model(classifier, spec, transform, folder / "Format-Serving", base=base)
    return folder


@pytest.fixture
def check(tmp_path: Path):
    """Runs the check on a model artifact, and gives whether the blessing it left says that it serves."""

    def run(artifact: Path) -> bool:
        connection = metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))
        model = Importer(str(artifact), standard_artifacts.Model).with_id("Model")
        components = [model, ServableCheck(model=model.outputs["result"])]
        LocalDagRunner().run(
            Pipeline("check", str(tmp_path / "pipeline"), connection, components=components, enable_cache=False)
        )
        (blessing,) = metadata_store.MetadataStore(connection).get_artifacts_by_type("InfraBlessing")
        return blessing.custom_properties["blessed"].int_value == 1

    return run


def test_an_exported_classifier_is_blessed(exported: Path, check):
    assert check(exported)


def no_longer_by_row(probabilities: tf.Tensor) -> tf.Tensor:
    """Less sure the more rows there are."""
    weight = 1 / tf.cast(tf.shape(probabilities)[0], tf.float32)
    return probabilities * weight + (1 - weight) / len(RULES)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"finish": no_longer_by_row}, "text 0 alone and among others give different probabilities"),
        ({"signatures": ("serving_default",)}, "KeyError: 'examples'"),
    ],
    ids=["rows depend on each other", "a signature lacks"],
)
def test_a_model_that_does_not_serve_fails_the_run_and_says_why(tmp_path: Path, check, changes, complaint: str):
    folder = save_keyword_model(tmp_path / "model/Format-Serving", RULES, **changes)
    with pytest.raises(RuntimeError) as error:
        check(tmp_path / "model")
    message = str(error.value)
    assert f"the exported model {folder} does not serve:\n" in message
    assert complaint in message


@pytest.mark.parametrize("text_features", [("text",), ("text", "text_pair")])
def test_the_probe_takes_one_text_or_a_pair(tmp_path: Path, text_features: tuple[str, ...]):
    probe(str(save_keyword_model(tmp_path / "model", RULES, text_features=text_features)))


@pytest.mark.parametrize(
    ("changes", "error", "complaint"),
    [
        ({"finish": lambda p: p * 2}, SystemExit, "the probabilities of a row do not add up to 1 but to"),
        ({"finish": lambda p: p * float("nan")}, SystemExit, "the probabilities of a row do not add up to 1 but to"),
        ({"signatures": ("examples",)}, KeyError, "serving_default"),
        ({"default_in_examples": "fine"}, SystemExit, "the two signatures give different probabilities"),
    ],
    ids=["not probabilities", "diverged", "no texts", "signatures disagree"],
)
def test_the_probe_refuses_what_is_no_classifier(tmp_path: Path, changes, error, complaint: str):
    folder = save_keyword_model(tmp_path / "model", RULES, **changes)
    with pytest.raises(error, match=complaint):
        probe(str(folder))


def test_the_probe_needs_nothing_but_tensorflow_and_its_text_ops(exported: Path, tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, PROBE, exported / "Format-Serving"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name not in ("TF_USE_LEGACY_KERAS", "PYTHONPATH")},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("LOADED "))
    loaded = set(line.split())
    assert {"tensorflow", "tensorflow_text"} <= loaded
    assert loaded.isdisjoint({"trainer", "components", "pipeline", "transformers", "tf_keras", "tfx", "apache_beam"})


def test_the_probe_ends_with_whoever_started_it(exported: Path):
    command = [sys.executable, str(PROBE), str(exported / "Format-Serving"), UNTIL_STDIN_ENDS]
    starter = f"""
import os, subprocess
probe = subprocess.Popen({command}, stdin=subprocess.PIPE)
print(probe.pid, flush=True)
os.kill(os.getpid(), 9)
"""
    started = subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True)
    assert started.stdout
    probe_id = int(started.stdout.readline())
    started.wait()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{probe_id}").exists() and "zombie" not in Path(f"/proc/{probe_id}/status").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)

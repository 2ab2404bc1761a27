from pathlib import Path

import numpy as np
import pytest
from transformers import DistilBertConfig

from fullbake.trainer.approaches import APPROACHES, Trains, forgetting_warning
from fullbake.trainer.encoder.families import FAMILIES
from fullbake.trainer.fine_tuning_phase import trained_variables
from fullbake.trainer.models.classifier import Classifier
from fullbake.trainer.models.heads import HEADS


@pytest.fixture(scope="module")
def distilbert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("distilbert")
    DistilBertConfig().save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("approach", "head", "total", "trainable"),
    [
        ("fine_tune", "linear", 66_364_418, 66_364_418),
        ("fine_tune", "hf", 66_955_010, 66_955_010),
        ("frozen", "mlp", 67_551_746, 1_185_794),
        ("further_pretrain", "linear", 66_364_418, 66_364_418),
        ("probe_then_fine_tune", "linear", 66_364_418, 66_364_418),
        ("lora", "linear", 66_511_874, 148_994),
    ],
)
def test_a_distilbert_of_default_size_has_the_parameters_it_should(
    distilbert: Path, approach: str, head: str, total: int, trainable: int
):
    classifier = Classifier.from_base(distilbert, head, ("no", "yes"), pretrained=False)
    if adapters := APPROACHES[approach].adapters:
        classifier.encoder.adapt(adapters)
    variables = trained_variables(classifier, APPROACHES[approach].phases[-1]).values()
    assert classifier.count_params() == total
    assert sum(np.prod(v.shape) for v in variables) == trainable


@pytest.mark.parametrize("model_type", FAMILIES)
@pytest.mark.parametrize("head", HEADS)
def test_every_variable_of_every_base_has_one_path_and_one_rule(base_of, model_type: str, head: str):
    classifier = Classifier.from_base(base_of(model_type), head, ("a", "b", "c"))
    paths = classifier.paths()
    assert len(paths) == len(classifier.variables)
    assert any(path.startswith("encoder/") for path in paths)
    assert any(path.startswith("head/") for path in paths)
    for approach in APPROACHES.values():
        for path in paths:
            assert [phase.trains.includes(path) for phase in approach.phases][-1] in (True, False)


@pytest.mark.parametrize("model_type", FAMILIES)
@pytest.mark.parametrize("approach", APPROACHES)
def test_what_a_row_says_of_the_encoder_is_what_its_rules_come_to(base_of, model_type: str, approach: str):
    row = APPROACHES[approach]
    classifier = Classifier.from_base(base_of(model_type), row.head, ("a", "b"))
    weights = set(classifier.encoder.paths())
    if row.adapters:
        classifier.encoder.adapt(row.adapters)
    encoder = set(classifier.encoder.paths())
    for phase in row.phases:
        trained = set(trained_variables(classifier, phase))
        assert trained - encoder, "a head that is never trained"
        said = {"weights": encoder, "adapters": encoder - weights, "nothing": set()}[phase.trains.encoder]
        assert trained & encoder == said


def test_paths_do_not_depend_on_what_was_built_before(base: Path):
    first = Classifier.from_base(base, "hf", ("a", "b")).paths()
    assert list(Classifier.from_base(base, "hf", ("a", "b")).paths()) == list(first)


def test_a_variable_that_no_rule_matches_is_an_error():
    with pytest.raises(LookupError, match="encoder/layer"):
        Trains(((r"head/.*", True),), encoder="nothing", words="").includes("encoder/layer")


def test_only_a_trainable_base_with_a_high_rate_is_warned_of_forgetting():
    assert "catastrophic forgetting" in (forgetting_warning(APPROACHES["fine_tune"], 4e-4) or "")
    assert forgetting_warning(APPROACHES["fine_tune"], 3.9e-4) is None
    assert forgetting_warning(APPROACHES["frozen"], 1.0) is None
    assert forgetting_warning(APPROACHES["lora"], 1.0) is None
    assert forgetting_warning(APPROACHES["probe_then_fine_tune"], 5e-4) is not None

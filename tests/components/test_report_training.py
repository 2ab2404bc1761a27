"""What the report page says of how the model was trained."""

import pytest

from fullbake.components.report.encoder_shift import FAR_SHIFT, LOST_SHIFT
from fullbake.components.report.page import render
from tests.components.reports import minimal_with, passing_report, text_of


@pytest.fixture(scope="module")
def passing():
    return passing_report()


def test_further_pre_training_is_told_from_its_first_to_its_last_perplexity(passing):
    page = text_of(render(passing))
    said = "in 21,340 texts, 12,000 of them from a corpus without labels, at a learning rate of 5e-5, for 30 min 43 s"
    said += (
        "|it went from 28,412 to 41.9 .|a new one had to learn first|From step 200 on, when that is done, it went from "
    )
    said += "212 to 41.9: this part the encoder learned"
    assert [words for words in said.split("|") if words not in page] == []
    assert 'aria-label="Perplexity by epoch: 2.841e+04 after 0, 212.5 after 0.3, 64.1 after 1, 41.9 after 2"' in render(
        passing
    )


def test_a_perplexity_that_rises_is_called_by_its_name():
    evaluations = [{"step": 0, "epoch": 0.0, "perplexity": 7.5}, {"step": 60, "epoch": 1.0, "perplexity": 9.0}]
    page = text_of(render(minimal_with(pretraining={"evaluations": evaluations})))
    assert "it went from 7.5 to 9.0 . It rose: the encoder knows these texts less well than before." in page
    assert "a new one" not in page


def test_the_learning_rates_that_were_tried_stand_in_order_with_the_winner_marked(passing):
    page = text_of(render(passing))
    assert "The best was taken, 5e-5." in page
    assert "2e-5 0.840 3e-5 0.869 5e-5 ✓ taken 0.871 1 diverged" in page


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ({1e-5: 0.8, 3e-5: 0.7}, "taken, 1e-5. It is the lowest that was tried: a lower one may be better still."),
        ({1e-5: 0.7, 3e-5: 0.8}, "taken, 3e-5. It is the highest that was tried: a higher one may be better still."),
        ({1e-5: 0.7, 3e-5: 0.8, 5e-5: 0.8}, "taken, 3e-5. Learning rate"),
    ],
)
def test_a_best_rate_at_the_edge_invites_to_search_beyond_it(scores, said):
    tuning = [{"learning_rate": rate, "score": score} for rate, score in reversed(scores.items())]
    assert said in text_of(render(minimal_with(tuning=tuning)))


KEPT = "What pre-training taught is kept: the part that moved most, layer 2, is 5.2% of its own size away"


@pytest.mark.parametrize(
    ("moved", "said", "warned"),
    [
        (0.052, KEPT, False),
        (FAR_SHIFT, "Some of what pre-training taught may be lost: the part that moved most, layer 2, is", False),
        (
            LOST_SHIFT,
            "Little is probably left of what pre-training taught: the part that moved most, layer 2, is",
            True,
        ),
        (1.7, "layer 2, is 170% of its own size away from its start. Lower learning_rate.", True),
    ],
)
def test_an_encoder_that_training_destroyed_is_seen_at_once(moved, said, warned):
    training = {"encoder_shift": {"embeddings": 0.01, "layer 1": 0.04, "layer 2": moved, "pooler": 2.4}}
    page = text_of(render(minimal_with(training=training)))
    assert said in page
    assert "embeddings 1%" in page
    assert page.count(said) == 1 + warned
    assert (page.find(said) < page.find("how well it recognises each class")) is warned
    assert "pooler" not in page


def test_an_encoder_destroyed_before_fine_tuning_is_seen_at_once():
    pretraining = {"evaluations": [], "encoder_shift": {"embeddings": 0.1, "layer 1": 1.2}}
    page = text_of(render(minimal_with(pretraining=pretraining)))
    assert page.index("Lower pretraining_learning_rate.") < page.index("how well it recognises each class")


def test_a_phase_before_the_last_is_told_of(passing):
    page = text_of(render(passing))
    assert "Before that, the head alone was trained for 1 epoch while the encoder stood still" in page
    assert "its mean recall on texts kept aside came to 0.61" in page

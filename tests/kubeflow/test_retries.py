import logging

import pytest

from fullbake.contract.errors import InputError
from fullbake.kubeflow import retries
from fullbake.kubeflow.retries import VERDICTS, tries

log = logging.getLogger("fullbake")


def ends_after(failures: list[Exception], component: str, retries: int) -> int:
    """How many tries a component has that fails in this way and then does not."""
    begun = 0
    for attempt in tries(component, retries, (InputError,), log):
        with attempt:
            begun += 1
            if begun <= len(failures):
                raise failures[begun - 1]
    return begun


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_WAIT_SECONDS", 0)


def test_a_step_with_a_verdict_is_tried_again_in_its_container(caplog: pytest.LogCaptureFixture):
    assert ends_after([OSError("no answer"), OSError("no answer")], "Pusher", retries=2) == 3
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "no answer" in caplog.text
    with pytest.raises(OSError, match="no answer"):
        ends_after([OSError("no answer")] * 3, "Pusher", retries=2)
    with pytest.raises(OSError, match="no answer"):
        ends_after([OSError("no answer")], "Pusher", retries=0)


@pytest.mark.parametrize("component", VERDICTS)
def test_no_verdict_is_asked_for_twice(component: str, caplog: pytest.LogCaptureFixture):
    with pytest.raises(InputError, match=r"data\.pattern"):
        ends_after([InputError("data.pattern: no file")], component, retries=2)
    assert not caplog.records


def test_what_argo_tries_again_is_tried_once_in_its_container():
    with pytest.raises(OSError, match="no answer"):
        ends_after([OSError("no answer")], "Trainer", retries=2)

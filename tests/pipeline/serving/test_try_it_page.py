"""The page to try a model, in a browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.components.chromium import CHROMIUM, Chromium
from tests.pipeline.serving.server_process import ServerProcess

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium or google-chrome on PATH")

PROBE = (Path(__file__).parents[2] / "components/report_probe.js").read_text(encoding="utf-8")
LOOKS = {"light": {}, "dark": {"dark": True}, "phone": {"width": 390}, "dark phone": {"width": 390, "dark": True}}
HOSTILE = "<script>owned = 1</script><img src=x onerror='owned = 1'> it's a \"garden\" {{ 7 * 7 }}"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    browser = Chromium(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


def opened(browser: Chromium, server: ServerProcess, **look) -> None:
    """Loads the page anew."""
    browser.look(**look)
    browser.events.clear()
    browser.ask("Page.navigate", url=server.url)
    wait_for(browser, "document.readyState === 'complete' && document.querySelector('#command').textContent !== ''")


def wait_for(browser: Chromium, condition: str) -> None:
    """Waits in the page."""
    browser.evaluate(
        f"new Promise((then) => {{ const look = () => ({condition}) ? then() : setTimeout(look, 30); look() }})"
    )


def type_and_ask(browser: Chromium, text: str) -> None:
    """Types as a person does, and presses the button."""
    browser.evaluate("document.querySelector('textarea').focus()")
    browser.ask("Input.insertText", text=text)
    browser.evaluate("document.querySelector('button').click()")
    wait_for(browser, "!document.querySelector('button').disabled && !document.getElementById('answer').hidden")


@pytest.mark.parametrize("look", LOOKS)
def test_a_text_gets_its_label_and_nothing_else_happens(server, browser, look, tmp_path):
    opened(browser, server, **LOOKS[look])
    type_and_ask(browser, HOSTILE)
    _, said = server.post("predict", {"instances": [HOSTILE]})
    assert browser.evaluate("document.getElementById('decision').textContent") == said["predictions"][0]["label"]
    rows = browser.evaluate("[...document.querySelectorAll('#scores .n')].map((one) => Number(one.textContent))")
    assert rows == sorted((round(one, 3) for one in said["predictions"][0]["probabilities"]), reverse=True)
    assert browser.evaluate("typeof owned") == "undefined"
    assert browser.evaluate("document.querySelectorAll('img, iframe, script:not([nonce])').length") == 0
    asked = [one["params"]["request"]["url"] for one in browser.events if one["method"] == "Network.requestWillBeSent"]
    assert {url for url in asked if not url.startswith("data:")} == {
        f"{server.url}/",
        f"{server.url}/v1/models/{server.name}:predict",
    }
    methods = {event["method"] for event in browser.events}
    assert not {"Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"} & methods
    browser.evaluate("document.querySelector('details').open = true")
    assert HOSTILE.split("'")[0] in browser.evaluate("document.getElementById('command').textContent")
    seen = browser.evaluate(PROBE)
    assert (seen["pale"], seen["small"], seen["overflow"]) == ([], [], 0)
    (tmp_path / f"{look}.png").write_bytes(browser.screenshot())


def test_an_error_is_shown_in_words(server, browser):
    opened(browser, server)
    browser.evaluate("document.querySelector('textarea').value = 'a'.repeat(5_000_000)")
    browser.evaluate("document.querySelector('button').click()")
    wait_for(browser, "!document.getElementById('error').hidden")
    assert "more than 4,194,304 bytes" in browser.evaluate("document.getElementById('error').textContent")


@pytest.mark.parametrize("label", ["</script><script>owned = 1</script>", "\"><img src=x onerror='owned = 1'>"])
def test_a_label_is_text_whatever_it_is(model, browser, tmp_path, label):
    import json

    from fullbake.contract.names import ABOUT_FILE

    shutil.copytree(model, tmp_path / "tiny/serving/1")
    about = tmp_path / "tiny/serving/1" / ABOUT_FILE
    said = json.loads(about.read_text(encoding="utf-8"))
    about.write_text(json.dumps(said | {"labels": [label, *said["labels"][1:]]}), encoding="utf-8")
    server = ServerProcess(tmp_path / "tiny")
    opened(browser, server)
    type_and_ask(browser, "you are")
    assert browser.evaluate("typeof owned") == "undefined"
    assert label in browser.evaluate("document.getElementById('scores').innerText")
    assert server.stop() == 0

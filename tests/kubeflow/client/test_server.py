"""Servers that refuse, are not there, or are something else."""

import socket
import stat
from pathlib import Path
from threading import Thread

import pytest

from fullbake.contract.errors import InputError
from tests.kubeflow.client.connection import CRON, KEY, connect, connect_to
from tests.kubeflow.kfp_http import serve
from tests.kubeflow.kfp_server import KfpServer


def test_a_wrong_token_is_refused_at_once_with_the_remedy_and_without_the_token(launch):
    with (
        serve(KfpServer(token=KEY)) as server,
        pytest.raises(
            InputError,
            match=r"refuses the request \(401 Unauthorized.*the token of --token may have expired .*give new",
        ) as e,
    ):
        connect(server, "guessed-token")
    assert "guessed-token" not in str(e.value)
    assert len(server.requests) == 1


def test_a_token_that_expires_midway_is_told_as_a_refusal(launch):
    with serve(KfpServer(token=KEY)) as server:
        client = connect(server, KEY)
        server.token = KEY.upper()
        with pytest.raises(InputError, match="401 Unauthorized"):
            client.submit(launch())


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "fünf"])
def test_what_cannot_be_a_token_is_not_sent_and_not_repeated(server: KfpServer, token: str):
    with pytest.raises(InputError, match="--token: ") as error:
        connect(server, token)
    assert token not in str(error.value)
    assert server.requests == []


def test_a_line_break_at_the_end_of_a_token_does_no_harm(launch):
    with serve(KfpServer(token=KEY)) as server:
        connect(server, f"{KEY}\n").submit(launch())
        assert len(server.runs) == 1


@pytest.mark.parametrize(
    ("host", "message"),
    {
        None: "--host: no server is named; give the address of Kubeflow Pipelines, or set FULLBAKE_KFP_HOST",
        "": "--host: no server is named",
        "localhost:8888": "--host: not an address of a server; write it as https://name or http://name:port",
        "ftp://localhost": "--host: not an address of a server",
        "http://": "--host: not an address of a server",
        "http://user:hush@localhost": "--host: not an address of a server",
        "http://localhost:http": "--host: not an address of a server",
        "http://name.invalid": "--host: http://name.invalid cannot be reached: ",
    }.items(),
)
def test_a_host_that_is_none_is_an_error(host: str | None, message: str):
    with pytest.raises(InputError) as error:
        connect_to(host)
    assert message in str(error.value)
    assert "hush" not in str(error.value)


def test_a_host_that_nobody_serves_cannot_be_reached():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        host = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(InputError, match=f"{host} cannot be reached: .*Connection refused; look at the address"):
            connect_to(host)


def test_a_server_that_goes_away_midway_cannot_be_reached(launch):
    with serve(KfpServer()) as server:
        client = connect(server)
    with pytest.raises(InputError, match=r"cannot be reached: .*Connection refused"):
        client.submit(launch())


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/dex/auth\r\n\r\n", "it redirects, to a login most likely"),
        ("HTTP/1.1 404 Not Found\r\n\r\n", "answers 404 Not Found; look at the address, with its path"),
        ("HTTP/1.1 200 OK\r\n\r\n<html>Welcome</html>", "answers, but not as Kubeflow Pipelines does"),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n<html>", "answers 502 Bad Gateway; fix what it names, or ask who runs"),
        ("SSH-2.0-OpenSSH_9.2\r\n", "cannot be reached: SSH-2.0-OpenSSH_9.2"),
    ],
)
def test_a_server_of_something_else_is_told_apart(answer: str, message: str):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve_once() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer.encode())

        thread = Thread(target=serve_once)
        thread.start()
        with pytest.raises(InputError) as error:
            connect_to(f"http://127.0.0.1:{listening.getsockname()[1]}")
        thread.join()
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_the_address_of_a_page_is_good_enough(server: KfpServer, launch):
    run = connect_to(f"{server.host}/#/runs").submit(launch())
    assert run.url.startswith(f"{server.host}/#/runs/details/")


def test_nothing_is_printed_or_written_and_the_token_is_not_logged(home: Path, launch, capfd, caplog):
    caplog.set_level("DEBUG")
    with serve(KfpServer(token=KEY, multi_user=True, allowed_namespaces=("kubeflow",))) as server:
        client = connect(server, KEY)
        client.submit(launch())
        client.schedule(launch(), CRON, 1)
        client.pause("nightly")
    printed = capfd.readouterr()
    assert printed.out == ""
    assert KEY not in printed.err + caplog.text
    assert [path for path in home.rglob("*") if stat.S_ISREG(path.stat().st_mode)] == []


def test_settings_of_another_cluster_do_no_harm(home: Path, server: KfpServer, launch):
    context = home / ".config/kfp/context.json"
    context.parent.mkdir(parents=True)
    context.write_text('{"namespace": "elsewhere"}', encoding="utf-8")
    connect(server).submit(launch())
    assert {request.query.get("namespace", "kubeflow") for request in server.requests} == {"kubeflow"}
    assert server.sent("POST", "/experiments")[0]["namespace"] == "kubeflow"

"""How a server is found and who asks, against a server and proxies of this machine."""

import base64
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from fullbake.contract.errors import InputError
from fullbake.kubeflow.client import KubeflowClient
from fullbake.kubeflow.login import Login, find_login
from fullbake.kubeflow.server import Server, UnavailableError
from tests.kubeflow.certificate import write_certificate
from tests.kubeflow.kfp_http import serve
from tests.kubeflow.kfp_server import KfpServer
from tests.kubeflow.proxy import Proxy

KEY = "open-sesame"
SESSION = "oauth2_proxy_kubeflow=c2Vzc2lvbg=="
BASIC = "Basic " + base64.b64encode(b"ann:p@ss").decode()


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in list(os.environ):
        if name.startswith(("KF_PIPELINES_", "FULLBAKE_KFP_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def server() -> Iterator[KfpServer]:
    with serve(KfpServer()) as server:
        yield server


def login_of(host: str | None = None, **options: str) -> Login:
    return find_login(host, **options, default_namespace="kubeflow")


def list_schedules(login: Login) -> None:
    """Asks what kfp's client asks, over our connections."""
    KubeflowClient(Server(login)).schedules()


def test_options_win_over_our_variables_and_those_over_the_variables_of_kfp(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KF_PIPELINES_ENDPOINT", "http://theirs")
    assert login_of().host.value == "http://theirs"
    assert login_of().host.source == "KF_PIPELINES_ENDPOINT"
    monkeypatch.setenv("FULLBAKE_KFP_HOST", "http://ours")
    assert (login_of().host.value, login_of().host.source) == ("http://ours", "FULLBAKE_KFP_HOST")
    assert (login_of("http://given").host.value, login_of("http://given").host.source) == ("http://given", "--host")
    assert login_of().namespace.source == "kubeflow.namespace"
    monkeypatch.setenv("FULLBAKE_KFP_NAMESPACE", "ann")
    assert (login_of().namespace.value, login_of(namespace="bob").namespace.value) == ("ann", "bob")


def test_nothing_of_a_login_is_shown_by_repr():
    login = login_of("http://server", token=KEY, cookies=SESSION)
    assert KEY not in repr(login)
    assert SESSION not in repr(login)


def test_a_projected_token_is_read_anew_for_each_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "token"
    file.write_text("first\n", encoding="utf-8")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(file))
    with serve(KfpServer(token="first")) as server:  # noqa: S106
        client = KubeflowClient(Server(login_of(server.host)))
        client.schedules()
        server.token = "second"  # noqa: S105
        with pytest.raises(InputError, match="the token of KF_PIPELINES_SA_TOKEN_PATH may have expired") as error:
            client.schedules()
        assert "first" not in str(error.value)
        file.write_text("second", encoding="utf-8")
        client.schedules()
        client.server.get("/apis/v2beta1/healthz")
        monkeypatch.setenv("FULLBAKE_KFP_TOKEN", "third")
        server.token = "third"  # noqa: S105
        list_schedules(login_of(server.host))


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot be read: No such file or directory; name the file"), (b"\xff\xfe two words", "it has a space")],
)
def test_a_token_file_that_is_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, message: str
):
    file = tmp_path / "token"
    if content:
        file.write_bytes(content)
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(file))
    with pytest.raises(InputError, match=f"^KF_PIPELINES_SA_TOKEN_PATH: .*{message}") as error:
        login_of("http://server")
    assert "two words" not in str(error.value)


def test_cookies_open_a_server_behind_a_login_page(monkeypatch: pytest.MonkeyPatch):
    with serve(KfpServer(cookie=SESSION)) as server:
        with pytest.raises(
            InputError, match=r"it redirects, to a login .*; no login was given: give a token .* or the co"
        ):
            list_schedules(login_of(server.host))
        with pytest.raises(InputError, match="the cookies of --cookies may have expired") as error:
            list_schedules(login_of(server.host, cookies="session=stale"))
        assert "stale" not in str(error.value)
        monkeypatch.setenv("FULLBAKE_KFP_COOKIES", SESSION)
        list_schedules(login_of(server.host))
        assert {request.cookie for request in server.requests[-2:]} == {SESSION}


def test_cookies_of_another_cluster_are_not_sent(tmp_path: Path, server: KfpServer):
    context = tmp_path / ".config/kfp/context.json"
    context.parent.mkdir(parents=True)
    context.write_text('{"namespace": "", "client_authentication_cookie": "theirs=1"}', encoding="utf-8")
    list_schedules(login_of(server.host))
    assert {request.cookie for request in server.requests} == {None}


@pytest.mark.parametrize("cookies", ["no-name", "a=1\nEvil: yes", "a=ü"])
def test_what_cannot_be_cookies_is_not_sent_and_not_repeated(cookies: str):
    with pytest.raises(InputError, match=r"^--cookies: these are no cookies; write them as the browser") as error:
        login_of("http://server", cookies=cookies)
    assert cookies not in str(error.value)


def test_a_namespace_that_is_refused_is_named_with_where_it_came_from():
    with serve(KfpServer(token=KEY, multi_user=True, allowed_namespaces=("ann",))) as server:
        list_schedules(login_of(server.host, token=KEY, namespace="ann"))
        with pytest.raises(
            InputError,
            match=r"the token of --token may not use namespace 'kubeflow' \(kubeflow.namespace\); name your own",
        ):
            list_schedules(login_of(server.host, token=KEY))


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_every_request_goes_through_the_proxy(server: KfpServer, monkeypatch: pytest.MonkeyPatch, variable: str):
    with Proxy().serve() as proxy:
        monkeypatch.setenv(variable, proxy.netloc)  # without http://, as curl takes it
        list_schedules(login_of(server.host))
        assert [path.partition("?")[0] for _, path in proxy.handed_on] == [
            f"{server.host}{request.path}" for request in server.requests
        ]
        assert len(proxy.handed_on) == 2


@pytest.mark.parametrize("excepted", ["127.0.0.1", "*", "10.0.0.0/8,127.0.0.0/8"])
def test_a_server_that_no_proxy_names_is_asked_directly(
    server: KfpServer, monkeypatch: pytest.MonkeyPatch, excepted: str
):
    with Proxy().serve() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.netloc}")
        monkeypatch.setenv("NO_PROXY", excepted)
        list_schedules(login_of(server.host))
        assert (len(server.requests), proxy.handed_on) == (2, [])


def test_a_proxy_with_a_password_is_told_it_and_nobody_else_is(server: KfpServer, monkeypatch: pytest.MonkeyPatch):
    with Proxy(credentials=BASIC).serve() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://ann:p%40ss@{proxy.netloc}")
        list_schedules(login_of(server.host))
        monkeypatch.setenv("HTTP_PROXY", f"http://ann:hush@{proxy.netloc}")
        with pytest.raises(InputError) as error:
            list_schedules(login_of(server.host))
    assert f"answers 407 Proxy Authentication Required through the proxy {proxy.netloc} of HTTP_PROXY" in str(
        error.value
    )
    assert "hush" not in str(error.value)


def test_https_goes_through_a_tunnel_with_a_certificate_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    certificate = write_certificate(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serve(KfpServer(), context) as server, Proxy(credentials=BASIC).serve() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://ann:p%40ss@{proxy.netloc}")
        with pytest.raises(UnavailableError, match="certificate verify failed"):
            list_schedules(login_of(server.host))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        list_schedules(login_of(server.host))
        assert set(proxy.handed_on) == {("CONNECT", server.host.removeprefix("https://"))}
        assert len(server.requests) == 2
        monkeypatch.setenv("HTTPS_PROXY", f"http://ann:hush@{proxy.netloc}")
        with pytest.raises(
            UnavailableError, match=f"cannot be reached through the proxy {proxy.netloc} of HTTPS_PROXY: .*407"
        ) as error:
            list_schedules(login_of(server.host))
        assert "hush" not in str(error.value)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("socks5://hush:hush@127.0.0.1:1080", "HTTP_PROXY: not an address of a proxy; write it as http://name:port"),
        ("http://hush:hush@127.0.0.1:1", "cannot be reached through the proxy 127.0.0.1:1 of HTTP_PROXY: .*refused"),
    ],
)
def test_a_proxy_that_is_none_is_named(server: KfpServer, monkeypatch: pytest.MonkeyPatch, address: str, message: str):
    monkeypatch.setenv("HTTP_PROXY", address)
    with pytest.raises(InputError, match=message) as error:
        list_schedules(login_of(server.host))
    assert "hush" not in str(error.value)
    assert server.requests == []

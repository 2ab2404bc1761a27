"""The server of Kubeflow Pipelines: the connections to it, and its errors as ours."""

from __future__ import annotations

import io
import json
import os
import re
import ssl
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from typing import Any

import requests.utils
import urllib3

from fullbake.contract.errors import InputError
from fullbake.kubeflow.login import COOKIES_VARIABLE, TOKEN_VARIABLE, Login

_TIMEOUT_SECONDS = 20  # to answer
_LONGEST_MESSAGE = 300  # servers send their whole call stack
_TOO_MANY_REQUESTS = 429


class UnavailableError(InputError):
    """The server could not be reached, or has a problem of its own: another try may succeed."""


class Server:
    """One server, and the connections to it: by the proxy and with the certificates that the environment names.

    Args:
        login: Which server, and who asks.

    Attributes:
        host: Its address.
        release: The tag of its image, such as `2.5.0`.
        connections: To it.

    Raises:
        InputError: Here and in every method, where the server cannot be reached, or refuses. The text says which, and
            what to do.
    """

    def __init__(self, login: Login):
        self.login = login
        self.host = login.host.value
        self._way = ""
        self.connections = self._connections()
        self.release = self._greet()

    def get(self, path: str, query: Mapping[str, str] | None = None) -> bytes:
        """Returns what the server answers to a plain request.

        Args:
            path: Below the server's address, with a leading slash.
            query: Its parameters.

        Raises:
            UnavailableError: Another try may go well.
        """
        try:
            answer = self.connections.request(
                "GET",
                self.host + path,
                fields=query,
                headers=self.login.headers(),
                timeout=_TIMEOUT_SECONDS,
                retries=False,
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from error
        if 300 <= answer.status < 400:
            raise self._refusal(401, "it redirects, to a login most likely", None)
        if answer.status != 200:
            raise self._refusal(answer.status, answer.reason or "", answer.data)
        return answer.data

    @contextmanager
    def dialogue(self) -> Iterator[None]:
        """Keeps kfp's client from printing, and raises its errors as ours."""
        import kfp_server_api

        try:
            with redirect_stdout(io.StringIO()):
                yield
        except kfp_server_api.ApiException as error:
            raise self._refusal(error.status, error.reason, error.body) from error
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from error

    def page(self, path: str) -> str:
        """Returns the address of a page for people."""
        return f"{self.host}/#/{path}"

    def _connections(self) -> urllib3.PoolManager:
        trusted = ssl.create_default_context()  # it uses SSL_CERT_FILE, for a certificate of one's own
        # The variables as curl and requests read them; those of NO_PROXY may be networks, such as 10.0.0.0/8.
        proxies = requests.utils.get_environ_proxies(self.host)
        proxy = requests.utils.select_proxy(self.host, proxies)
        if not proxy:
            return urllib3.PoolManager(ssl_context=trusted)
        scheme = urllib.parse.urlsplit(self.host).scheme
        names = [f"{scheme}_proxy", f"{scheme}_proxy".upper(), "all_proxy", "ALL_PROXY"]
        variable = next(name for name in names if os.environ.get(name))
        address = urllib3.util.parse_url(requests.utils.prepend_scheme_if_needed(proxy, "http"))
        if address.scheme not in ("http", "https") or not address.host:
            raise InputError(f"{variable}: not an address of a proxy; write it as http://name:port")
        self._way = f" through the proxy {address.netloc} of {variable}"
        # urllib3 does not take the user and the password of an address by itself.
        user = urllib3.util.make_headers(proxy_basic_auth=urllib.parse.unquote(address.auth)) if address.auth else None
        return urllib3.ProxyManager(
            address._replace(auth=None).url, proxy_headers=user, ssl_context=trusted, proxy_ssl_context=trusted
        )

    def _greet(self) -> str:
        # The client itself waits for minutes for a host that is not there, and takes a login page for an answer.
        health = parsed(self.get("/apis/v2beta1/healthz"))
        if not isinstance(health, dict):
            raise InputError(
                f"{self.login.host.source}: {self.host} answers, but not as Kubeflow Pipelines does; look at the "
                "address, with its path"
            )
        return str(health.get("tag_name", ""))

    def _unreachable(self, error: urllib3.exceptions.HTTPError) -> UnavailableError:
        cause = getattr(error, "reason", None) or error
        if isinstance(cause, urllib3.exceptions.ProtocolError):
            cause = cause.args[-1]
        reason = re.sub("<.*?>: ", "", str(cause))  # urllib3 shows its objects
        return UnavailableError(
            f"{self.login.host.source}: {self.host} cannot be reached{self._way}: {_line(reason)}; look at the "
            "address, and whether the network, the VPN or the port-forward is up"
        )

    def _refusal(self, status: int, reason: str, body: str | bytes | None) -> InputError:
        answer = parsed(body)
        told = (answer.get("message") or answer.get("error_message")) if isinstance(answer, dict) else None
        what = f"{status} {_line(reason)}" + (f": {_line(told)}" if told else "")
        source = self.login.host.source
        if status in (401, 403):
            return InputError(f"{source}: {self.host} refuses the request ({what}); {self._remedy(status)}")
        if status == 404:
            return InputError(f"{source}: {self.host} answers {what}{self._way}; look at the address, with its path")
        error = UnavailableError if status >= 500 or status == _TOO_MANY_REQUESTS else InputError
        return error(f"{source}: {self.host} answers {what}{self._way}; fix what it names, or ask who runs the server")

    def _remedy(self, status: int) -> str:
        words, namespace = self.login.words, self.login.namespace
        if not words:
            return (
                f"no login was given: give a token that may use namespace {namespace.value!r} in {TOKEN_VARIABLE}, or "
                f"the cookies of a session in {COOKIES_VARIABLE}"
            )
        if status == 401:
            return f"{words} may have expired or be of another server; give new ones"
        return (
            f"{words} may not use namespace {namespace.value!r} ({namespace.source}); name your own with --namespace, "
            "or log in as somebody who may"
        )


def parsed(body: str | bytes | None) -> Any:
    """Returns what a text in JSON holds; None if it is not JSON."""
    try:
        return json.loads(body or "")
    except ValueError:
        return None


def _line(message: object) -> str:
    text = " ".join(str(message).split())
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]} ..."

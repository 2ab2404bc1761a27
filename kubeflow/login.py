"""The server and the login, from options, our variables, or those that kfp's own client reads."""

from __future__ import annotations

import os
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fullbake.contract.errors import InputError

HOST_VARIABLE = "FULLBAKE_KFP_HOST"
TOKEN_VARIABLE = "FULLBAKE_KFP_TOKEN"  # noqa: S105 (the variable's name)
COOKIES_VARIABLE = "FULLBAKE_KFP_COOKIES"
NAMESPACE_VARIABLE = "FULLBAKE_KFP_NAMESPACE"

# What kfp.Client() reads; a notebook of Kubeflow that may use pipelines has the second one set.
KFP_HOST_VARIABLE = "KF_PIPELINES_ENDPOINT"
KFP_TOKEN_FILE_VARIABLE = "KF_PIPELINES_SA_TOKEN_PATH"  # noqa: S105


@dataclass(frozen=True)
class Setting:
    """A value, and the option, variable or key that it came from, which errors name.

    Attributes:
        value: As it was given; not shown by `repr`, for it may be a secret.
        source: Such as `--host` or `FULLBAKE_KFP_HOST`.
    """

    value: str = field(repr=False)
    source: str


def setting(option: str, given: str | None, *variables: str) -> Setting | None:
    """Returns the value of an option, or else of the first of these variables that has one."""
    found = [(given, option), *((os.environ.get(variable), variable) for variable in variables)]
    return next((Setting(value, source) for value, source in found if value), None)


@dataclass(frozen=True)
class Login:
    """A server, as one user sees it.

    Attributes:
        host: Its address, such as `https://kubeflow.example.com/pipeline`.
        namespace: Whose experiments, pipelines and runs they are; a server for a single user does not mind it.
        token: A bearer token.
        token_file: A file with one, read anew for each request, for Kubernetes renews a projected token; `token` wins.
        cookies: Those of a session in the browser, as `name=value; name=value`.
    """

    host: Setting
    namespace: Setting
    token: Setting | None = None
    token_file: Setting | None = None
    cookies: Setting | None = None

    @property
    def words(self) -> str:
        """What the user logs in with, and where it was given; empty without a login."""
        known = {"the token of": self.token or self.token_file, "the cookies of": self.cookies}
        return " and ".join(f"{what} {given.source}" for what, given in known.items() if given)

    def bearer(self) -> str | None:
        """Returns the token as it is now.

        Raises:
            InputError: There is no such file, or what is in it is no token.
        """
        if self.token is not None:
            return _bearer(self.token.value, self.token.source)
        if self.token_file is None:
            return None
        try:
            text = Path(self.token_file.value).read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise InputError(
                f"{self.token_file.source}: {self.token_file.value} cannot be read: {error.strerror}; "
                f"name the file of a token, or give one in {TOKEN_VARIABLE}"
            ) from error
        return _bearer(text, self.token_file.source)

    def headers(self) -> dict[str, str]:
        """Returns the headers that identify the user."""
        token = self.bearer()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return headers | ({"Cookie": self.cookies.value} if self.cookies else {})

    def refresh_api_key_hook(self, configuration: Any) -> None:
        """Puts the token into the client's configuration; kfp's client calls it before each request."""
        configuration.api_key["authorization"] = self.bearer()


def find_login(
    host: str | None,
    token: str | None = None,
    cookies: str | None = None,
    namespace: str | None = None,
    *,
    default_namespace: str,
) -> Login:
    """Returns the login that options name, or else variables.

    Args:
        host: The value of `--host`, if it was given; so for the other three.
        token: Of `--token`.
        cookies: Of `--cookies`.
        namespace: Of `--namespace`.
        default_namespace: That of the config.

    Raises:
        InputError: No server is named, or something given cannot be what it should be.
    """
    server = setting("--host", host, HOST_VARIABLE, KFP_HOST_VARIABLE)
    if server is None:
        raise InputError(f"--host: no server is named; give the address of Kubeflow Pipelines, or set {HOST_VARIABLE}")
    session = setting("--cookies", cookies, COOKIES_VARIABLE)
    login = Login(
        host=Setting(_address(server), server.source),
        namespace=setting("--namespace", namespace, NAMESPACE_VARIABLE)
        or Setting(default_namespace, "kubeflow.namespace"),
        token=setting("--token", token, TOKEN_VARIABLE),
        token_file=setting("", None, KFP_TOKEN_FILE_VARIABLE),
        cookies=session and Setting(_cookies(session), session.source),
    )
    login.bearer()  # raises here, if it is none
    return login


def _address(host: Setting) -> str:
    address = urllib.parse.urlsplit(host.value)
    try:
        known = address.scheme in ("http", "https") and address.hostname and (address.port or True)
    except ValueError:  # the port is no number
        known = False
    # An address with a user's name may hold the password, too: it is not repeated.
    if not known or "@" in address.netloc:
        raise InputError(f"{host.source}: not an address of a server; write it as https://name or http://name:port")
    return f"{address.scheme}://{address.netloc}{address.path.rstrip('/')}"


def _bearer(text: str, source: str) -> str | None:
    token = text.strip()
    if not all("!" <= character <= "~" for character in token):
        raise InputError(f"{source}: it has a space, a line break or a letter that no token has; look at what it names")
    return token or None


def _cookies(cookies: Setting) -> str:
    text = cookies.value.strip()
    if not all(" " <= character <= "~" for character in text) or not all("=" in cookie for cookie in text.split(";")):
        raise InputError(
            f"{cookies.source}: these are no cookies; write them as the browser does: name=value; name=value"
        )
    return text

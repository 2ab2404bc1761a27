"""Releases of Kubeflow Pipelines: the oldest that a package runs on, and what a server says that it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fullbake.contract.errors import InputError

Release = tuple[int, int, int]

OLDEST_RELEASE: Release = (2, 0, 5)
"""The oldest whose own driver and launcher ran a package of ours (tests/kubeflow/test_kfp_binaries.py)."""


@dataclass(frozen=True)
class Need:
    """Something that not every release can do.

    Attributes:
        key: The config's key that asks for it.
        since: The first release that can.
    """

    key: str
    since: Release


def greatest_need(needs: Iterable[Need]) -> Need | None:
    """Returns the need with the newest release; None if the oldest release is enough for all."""
    return max((need for need in needs if need.since > OLDEST_RELEASE), key=lambda need: need.since, default=None)


def read_release(name: str) -> Release | None:
    """Returns the release of a server by its image's tag, such as `2.5.0`; None if the tag is no release."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", name)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def release_name(release: Release) -> str:
    """Returns a release as people write it."""
    return ".".join(map(str, release))


def check_release(server: str, needs: Iterable[Need], host: str) -> None:
    """Compares what a package needs with what a server is.

    Args:
        server: The tag that the server names; one that is no release, as of an image that somebody built, is let pass.
        needs: Of the package.
        host: The option or variable that names the server.

    Raises:
        InputError: The server is older than the oldest release, or than what the config asks for.
    """
    release = read_release(server)
    if release is None:
        return
    if release < OLDEST_RELEASE:
        raise InputError(
            f"{host}: the server is Kubeflow Pipelines {release_name(release)}; packages run from "
            f"{release_name(OLDEST_RELEASE)} on: have it upgraded, or name another"
        )
    need = greatest_need(needs)
    if need and release < need.since:
        raise InputError(
            f"{need.key}: needs Kubeflow Pipelines {release_name(need.since)} or newer, and the server is "
            f"{release_name(release)}; leave it out, or have the server upgraded"
        )

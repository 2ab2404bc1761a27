"""Which version is served: it watches the folder, opens what is new beside what serves, and lets go of the old one."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
from collections.abc import Callable

from fullbake.components.serving.file_system import file_system
from fullbake.components.serving.pushed_models import Version
from fullbake.contract.errors import InputError
from fullbake.pipeline.serving.served_model import ServedModel, UnusableVersionError
from fullbake.pipeline.serving.source import Source

LOOK_SECONDS = 1.0
"""Between two looks at the folder; TensorFlow Serving's default."""

_LEASE_SECONDS = 0.05  # between two looks at whether a version is still in use


@dataclasses.dataclass(frozen=True)
class VersionStatus:
    """What is the matter with a version, in TensorFlow Serving's words.

    Attributes:
        state: LOADING, AVAILABLE, UNLOADING or END.
        error_code: Of TensorFlow's status codes; OK where nothing is wrong.
        error_message: What is wrong.
    """

    state: str
    error_code: str = "OK"
    error_message: str = ""


class ModelVersions:
    """The versions of a model.

    A version that cannot be opened is told once, and tried again when its files have changed: the one that serves goes
    on. So it does where the folder has no version any longer.

    Args:
        source: Where they are.
        say: Is called with each line of what happens.

    Attributes:
        current: The version that answers.
        statuses: By number, of all versions that were loaded, or could not be.
    """

    def __init__(self, source: Source, say: Callable[[str], None]):
        self._source = source
        self._say = say
        self._failed: dict[Version, dict[str, int]] = {}  # with the sizes of its files at that time
        self._leaving: set[asyncio.Task[None]] = set()
        self.current: ServedModel | None = None
        self.statuses: dict[int, VersionStatus] = {}

    def open_first(self) -> None:
        """Opens the version to begin with.

        Raises:
            InputError: It cannot be opened.
        """
        version = self._source.version
        try:
            self.current = ServedModel(version)
        except UnusableVersionError as error:
            raise InputError(f"DIR: {version.path} {error}; name another version, or push one") from error
        self.statuses[version.number] = VersionStatus("AVAILABLE")

    async def watch(self) -> None:
        """Follows what is pushed and removed, until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                wanted = await asyncio.to_thread(self._source.newest)
            except InputError:  # the folder cannot be read just now
                continue
            if wanted is not None and (self.current is None or wanted.number != self.current.version.number):
                await self._load(wanted)

    async def _load(self, version: Version) -> None:
        sizes = await asyncio.to_thread(_sizes, version.path)
        if self._failed.get(version) == sizes:
            return
        self.statuses[version.number] = VersionStatus("LOADING")
        self._say(f"version {version.name}: loading")
        try:
            model = await asyncio.to_thread(ServedModel, version)
        except UnusableVersionError as error:
            self._failed = {version: sizes}
            self.statuses[version.number] = VersionStatus("END", "UNKNOWN", f"{version.path} {error}")
            self._say(f"version {version.name} cannot be used: it {error}; what serves goes on")
            return
        before, self.current = self.current, model
        self.statuses[version.number] = VersionStatus("AVAILABLE")
        self._say(f"version {version.name}: serves")
        if before is not None:
            leaving = asyncio.create_task(self._let_go(before))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)

    async def _let_go(self, model: ServedModel) -> None:
        """Waits for the last request of a version, and frees its memory."""
        number, name = model.version.number, model.version.name
        self.statuses[number] = VersionStatus("UNLOADING")
        while model.leases:
            await asyncio.sleep(_LEASE_SECONDS)
        self.statuses[number] = VersionStatus("END")
        del model
        await asyncio.to_thread(gc.collect)  # TensorFlow's objects are circles
        self._say(f"version {name}: unloaded")


def _sizes(path: str) -> dict[str, int]:
    files = file_system(path)
    try:
        return files.sizes(path) if files.is_folder(path) else {}
    except OSError:  # it is being removed
        return {}

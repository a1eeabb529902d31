"""A history in a bucket, and the copy of its files on this machine that everything is asked of.

Files never change, so one that was copied is never asked for again.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import anyio
from anyio.to_thread import run_sync

from scanner.errors import HistoryError, ScannerError
from scanner.history.folder import Folder
from scanner.history.manifest import Manifest

NAME = re.compile(
    r"(?:scans|alerts)/(?:month=\d{4}-\d\d/)?[0-9A-Za-z][0-9A-Za-z._-]{0,120}\.json"
    r"|(?:targets|gateways|volumes|failures|last_known)/month=\d{4}-\d\d/[0-9A-Za-z][0-9A-Za-z._-]{0,120}\.parquet"
)
"""What a history's files are called; whatever else lies in the bucket is none of ours, and never copied."""
AT_ONCE = 8
PROOF = "scans/.proof"
"""An upload of this name is begun and given up to prove that the bucket takes files; it never appears."""


class Bucket(Protocol):
    """What a mirror asks of a bucket; every method raises a ScannerError when the service refuses."""

    async def sizes(self, prefix: str) -> dict[str, int]: ...

    async def get(self, key: str) -> bytes: ...

    async def put_new(self, key: str, body: bytes, arguments: Mapping[str, str]) -> bool: ...

    async def delete(self, key: str) -> None: ...

    async def create(self, key: str, arguments: Mapping[str, str]) -> str: ...

    async def abort(self, key: str, upload: str) -> None: ...


class Mirror:
    """The files under `prefix` of a bucket, and their copies in a folder. All methods raise HistoryError."""

    def __init__(self, bucket: Bucket, prefix: str, folder: Folder, arguments: Mapping[str, str]) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._folder = folder
        self._arguments = arguments

    async def prove_writable(self) -> None:
        """Raises HistoryError where the bucket takes no files."""
        key = self._prefix + PROOF
        with _told():
            await self._bucket.abort(key, await self._bucket.create(key, self._arguments))

    async def pull(self) -> None:
        """Copies what is new in the bucket, and removes copies of what others have removed there."""
        try:
            # What is known of a fleet is nobody else's business.
            self._folder.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            told = (
                f"{self._folder.root}: {error.strerror}; set XDG_CACHE_HOME to a folder that can be written"
            )
            raise HistoryError(told) from None
        with _told():
            there = await self._bucket.sizes(self._prefix)
        names = {key.removeprefix(self._prefix): size for key, size in there.items()}
        wanted = [name for name in names if NAME.fullmatch(name)]
        missing = [name for name in wanted if not self._folder.path(name).exists()]
        # Manifests last: a scan exists when its manifest does.
        for group in (lambda name: not name.startswith("scans/"), lambda name: name.startswith("scans/")):
            await self._copy([name for name in missing if group(name)])
        # Young files may be those of another writer on this machine that is about to send them.
        kept = set(wanted)
        stale = await run_sync(self._folder.abandoned, ".")
        for name in sorted(stale, key=lambda name: not name.startswith("scans/")):
            if NAME.fullmatch(name) and name not in kept:
                self._folder.remove(name)

    async def _copy(self, names: Iterable[str]) -> None:
        limiter = anyio.CapacityLimiter(AT_ONCE)

        async def one(name: str) -> None:
            async with limiter:
                body = await self._bucket.get(self._prefix + name)
            await run_sync(self._folder.write, name, body)

        with _told():
            async with anyio.create_task_group() as group:
                for name in names:
                    group.start_soon(one, name)

    async def push(self, manifest: Manifest) -> None:
        """Sends the files of a scan that was appended to the copy, its manifest last.

        Where that fails the scan is taken out of the copy again, for the history does not have it.
        """
        names = [*(file.name for file in manifest.files), manifest.name]
        try:
            for name in names:
                await self.send(name)
        except BaseException:
            for name in reversed(names):
                self._folder.remove(name)
            raise

    async def send(self, name: str) -> None:
        """Sends one file; one that is there already has the same content, as ids are unique."""
        body = await run_sync(self._folder.read, name)
        with _told():
            await self._bucket.put_new(self._prefix + name, body, self._arguments)

    async def remove(self, names: Iterable[str]) -> None:
        """Removes files from the bucket, in this order."""
        with _told():
            for name in names:
                await self._bucket.delete(self._prefix + name)


@contextmanager
def _told() -> Iterator[None]:
    """Makes what a bucket refuses a HistoryError, out of a task group too."""
    try:
        yield
    except ScannerError as error:
        raise HistoryError(str(error)) from None
    except BaseExceptionGroup as group:
        cause: BaseException = group
        while isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        if not isinstance(cause, ScannerError):
            raise
        raise HistoryError(str(cause)) from None


def cache_of(url: str) -> Path:
    """The folder for the copy of the history at `url`: in this user's cache, one for each endpoint."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    name = hashlib.sha256(f"{endpoint} {url}".encode()).hexdigest()[:32]
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "sgw-scanner" / name
    except RuntimeError:
        raise HistoryError(
            f"{url}: this user has no home folder for its copy; set XDG_CACHE_HOME to a folder"
        ) from None

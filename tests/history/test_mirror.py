"""A history in a bucket: what was copied once is not asked for again, and a scan is there whole or not at all."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from scanner.config.settings import ScannerConfig
from scanner.errors import HistoryError, OutputError
from scanner.history.folder import Folder
from scanner.history.mirror import Mirror
from scanner.history.open import OpenHistory, open_history
from scanner.history.store import History
from scanner.inventory.records import TargetStatus
from tests.aws.test_s3 import moto_url, objects, s3

from .scans import Seen, scan

__all__ = ["moto_url", "s3"]
URL = "s3://here/fleet/history"
CONFIG = ScannerConfig.model_validate({"history": {"path": URL}})


@pytest.fixture
async def kept(s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenHistory]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "one"))
    async with open_history(CONFIG) as found:
        await found.prove()
        yield found


async def test_a_scan_that_one_machine_kept_is_there_on_another(
    kept: OpenHistory, s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert objects(s3) == []
    await kept.append(scan(0))
    assert len(objects(s3)) == 5
    assert all(key.startswith("fleet/history/") for key in objects(s3))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "two"))
    async with open_history(CONFIG) as other:
        await other.refresh()
        assert other.history.read("latest") == scan(0)
        (carried,) = (await other.carry(scan(1, [Seen(status=TargetStatus.FAILED)]))).last_known
        assert carried.scan_id == scan(0).scan.id


class Counting:
    """A bucket in memory that counts, and refuses what it is told to refuse."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.refuse = ""

    async def sizes(self, prefix: str) -> dict[str, int]:
        self.asked.append("list")
        return {key: len(body) for key, body in self.objects.items() if key.startswith(prefix)}

    async def get(self, key: str) -> bytes:
        self.asked.append("get")
        return self.objects[key]

    async def put_new(self, key: str, body: bytes, arguments: Any) -> bool:
        self.asked.append("put")
        if self.refuse and self.refuse in key:
            raise OutputError(f"{key}: SlowDown")
        return self.objects.setdefault(key, body) is body

    async def delete(self, key: str) -> None:
        del self.objects[key]

    async def create(self, key: str, arguments: Any) -> str:
        raise OutputError(f"{key}: AccessDenied; allow s3:PutObject")

    async def abort(self, key: str, upload: str) -> None:
        raise AssertionError


def mirrored(bucket: Counting, folder: Path) -> tuple[History, Mirror]:
    history = History(folder)
    return history, Mirror(bucket, "p", Folder(folder), {})


async def test_one_request_for_each_new_file_and_none_for_those_known(tmp_path: Path) -> None:
    bucket = Counting()
    history, mirror = mirrored(bucket, tmp_path / "a")
    for day in range(3):
        await mirror.push(history.append(scan(day)))
    assert bucket.asked == ["put"] * 15
    bucket.asked.clear()
    other, copy = mirrored(bucket, tmp_path / "b")
    await copy.pull()
    assert bucket.asked == ["list"] + ["get"] * 15
    assert len(other.scans()) == 3
    bucket.asked.clear()
    await copy.pull()
    await mirror.pull()
    assert bucket.asked == ["list"] * 2


@pytest.mark.parametrize("refused", ["volumes/", "scans/"])
async def test_a_scan_that_the_bucket_did_not_take_is_not_in_the_history(
    tmp_path: Path, refused: str
) -> None:
    bucket = Counting()
    history, mirror = mirrored(bucket, tmp_path)
    bucket.refuse = refused
    with pytest.raises(HistoryError, match="SlowDown"):
        await mirror.push(history.append(scan(0)))
    assert history.scans() == []
    assert not any(key.startswith("p/scans/") for key in bucket.objects)


async def test_what_lies_in_the_bucket_beside_the_history_is_never_copied(tmp_path: Path) -> None:
    bucket = Counting()
    bucket.objects = dict.fromkeys(("p/scans/../../evil.json", "p/x.json", "p/scans/month=2024-11/.x"), b"")
    await mirrored(bucket, tmp_path / "a")[1].pull()
    assert bucket.asked == ["list"]


async def test_a_bucket_that_takes_nothing_is_found_out_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="allow s3:PutObject"):
        await mirrored(Counting(), tmp_path)[1].prove_writable()


async def test_a_bucket_that_is_not_there_is_told_with_the_remedy(
    kept: OpenHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = ScannerConfig.model_validate({"history": {"path": "s3://nowhere"}})
    async with open_history(config) as other:
        with pytest.raises(HistoryError, match="create the bucket"):
            await other.prove()


async def test_what_is_let_go_goes_from_the_bucket(kept: OpenHistory, s3: Any) -> None:
    for day in (0, 1):
        await kept.append(scan(day))
    manifest = kept.history.manifests()[0]
    await kept.remove([manifest.name, *(file.name for file in manifest.files)])
    assert len(objects(s3)) == 5

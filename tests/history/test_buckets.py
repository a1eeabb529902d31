"""A bucket that refuses, is slow or never answers: a scan is kept, or it is told that it is not, and in time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scanner.aws.base_client import ATTEMPTS
from scanner.config.settings import ScannerConfig
from scanner.errors import HistoryError
from scanner.history.open import open_history
from tests.aws.buckets import Bucket, serving
from tests.aws.test_s3 import moto_url, s3

from .scans import scan

__all__ = ["moto_url", "s3"]
Patch = pytest.MonkeyPatch
FILES = 5
"""Of one scan: four tables and the manifest."""


@pytest.fixture
def bucket(s3: Any, tmp_path: Path, monkeypatch: Patch) -> Iterator[Bucket]:
    """A server that misbehaves as told, and a cache of its own."""
    monkeypatch.setattr("scanner.aws.base_client.PAUSE", 0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with serving() as found:
        monkeypatch.setenv("AWS_ENDPOINT_URL", found.url)
        yield found


def config(**options: Any) -> ScannerConfig:
    return ScannerConfig.model_validate({"history": {"path": "s3://here/fleet"}, **options})


HASTY = config(scan={"call_timeout": "200ms"})


async def kept(*days: float, settings: ScannerConfig | None = None) -> list[str]:
    """Keeps a scan for each day, as the command line does; the ids that the history has then."""
    async with open_history(settings or config()) as history:
        await history.prove()
        for day in days:
            await history.append(scan(day))
        return [each.id for each in history.history.scans()]


async def test_each_new_file_is_one_request_and_what_is_known_is_none(
    bucket: Bucket, tmp_path: Path, monkeypatch: Patch
) -> None:
    assert len(await kept(0, 1)) == 2
    assert bucket.asked == ["create", "abort", "list"] + ["put"] * 2 * FILES
    bucket.asked.clear()
    await kept(2)
    assert bucket.asked == ["create", "abort", "list"] + ["put"] * FILES
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
    bucket.asked.clear()
    assert len(await kept()) == 3
    assert bucket.asked == ["create", "abort", "list"] + ["get"] * 3 * FILES


@pytest.mark.parametrize("call", ["create", "list", "put"])
async def test_a_bucket_that_is_busy_for_a_while_costs_nothing(bucket: Bucket, call: str) -> None:
    bucket.misbehave[call] = lambda made: 503 if made < ATTEMPTS - 1 else 200
    assert await kept(0) == [scan(0).scan.id]


async def test_an_object_that_was_put_although_its_answer_was_lost_is_no_error(bucket: Bucket) -> None:
    bucket.misbehave["put"] = lambda made: 412
    assert await kept(0) == [scan(0).scan.id]


@pytest.mark.parametrize("misbehaviour", [503, "silent", "trickles", "deaf"])
async def test_a_scan_that_the_bucket_never_takes_is_told_and_is_not_in_the_history(
    bucket: Bucket, monkeypatch: Patch, misbehaviour: int | str
) -> None:
    monkeypatch.setattr("scanner.aws.base_client.ATTEMPTS", 2)
    bucket.misbehave["put"] = lambda made: misbehaviour
    with pytest.raises(HistoryError, match="s3://here/fleet/"):
        await kept(0, settings=HASTY)
    assert await kept() == []


@pytest.mark.parametrize("misbehaviour", [503, 403, "silent", "trickles"])
@pytest.mark.parametrize("call", ["create", "list", "get"])
async def test_a_bucket_that_cannot_be_asked_is_found_out_before_the_scan(
    bucket: Bucket, tmp_path: Path, monkeypatch: Patch, call: str, misbehaviour: int | str
) -> None:
    await kept(0)
    monkeypatch.setattr("scanner.aws.base_client.ATTEMPTS", 1)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
    bucket.misbehave[call] = lambda made: misbehaviour
    with pytest.raises(HistoryError, match="s3:") as caught:
        await kept(settings=HASTY)
    assert misbehaviour != 403 or "allow s3:" in str(caught.value)

"""Alerts of scans that are kept: told at least once, whatever fails, and each address for itself."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from scanner.config.settings import ScannerConfig
from scanner.history.open import OpenHistory, open_history
from scanner.inventory.model import Inventory
from scanner.notify.notifier import Notifier
from tests.history.scans import HOUR, Seen, scan

from .peers import Peer, peer

LATE = Seen(ages={1: 1 * HOUR, 2: None})


def config(folder: Path, *urls: str, **more: Any) -> ScannerConfig:
    return ScannerConfig.model_validate(
        {"history": {"path": str(folder)}, "notify": {"urls": urls, "timeout": "2s", **more}}
    )


async def told(settings: ScannerConfig, inventory: Inventory) -> int:
    async with open_history(settings) as kept, Notifier.opened(settings) as notifier:
        await kept.prove()
        await kept.append(inventory)
        return await notifier.tell(inventory, kept)


def subjects(web: Peer) -> list[dict[str, int]]:
    return [
        {kind: count for kind, count in json.loads(taken.body)["counts"].items() if count}
        for taken in web.taken
    ]


async def test_a_digest_comes_only_when_something_changed(tmp_path: Path) -> None:
    with peer() as web:
        settings = config(tmp_path, web.url)
        for day, seen in enumerate((Seen(), Seen(), LATE, LATE, Seen(ages={1: HOUR, 2: HOUR}))):
            assert await told(settings, scan(day / 10, [seen])) == 0
        assert subjects(web) == [{}, {"opened": 1, "open": 1}, {"closed": 1}]


async def test_an_address_that_failed_hears_it_with_the_next_scan_and_the_others_hear_it_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with peer() as one, peer() as two:
        settings = config(tmp_path, one.url, two.url)
        await told(settings, scan(0))
        two.status = 500
        assert await told(settings, scan(0.1, [LATE])) == 1
        assert "no alert to http://127.0.0.1" in caplog.text
        two.status = 200
        assert await told(settings, scan(0.2, [LATE])) == 0
        assert subjects(one) == [{}, {"opened": 1, "open": 1}]
        assert subjects(two) == [{}, *([{"opened": 1, "open": 1}] * 2)]


async def test_a_new_address_gets_its_own_first_summary(tmp_path: Path) -> None:
    with peer() as one, peer() as two:
        await told(config(tmp_path, one.url), scan(0, [LATE]))
        await told(config(tmp_path, one.url, two.url), scan(0.1, [LATE]))
        assert len(one.taken) == 1
        assert json.loads(two.taken[0].body)["first"] is True


async def test_the_state_holds_no_address(tmp_path: Path) -> None:
    with peer() as web:
        await told(config(tmp_path, f"{web.url}/very-secret-token"), scan(0, [LATE]))
    (state,) = (tmp_path / "alerts").iterdir()
    assert "very-secret-token" not in state.read_text()
    assert web.url not in state.read_text()


async def test_a_state_that_cannot_be_read_makes_all_be_told_again(tmp_path: Path) -> None:
    with peer() as web:
        settings = config(tmp_path, web.url)
        await told(settings, scan(0, [LATE]))
        next((tmp_path / "alerts").iterdir()).write_text("{")
        await told(settings, scan(0.1, [LATE]))
        assert [json.loads(taken.body)["first"] for taken in web.taken] == [True, True]


async def test_a_history_that_lost_its_baseline_tells_what_is_open_all_the_same(tmp_path: Path) -> None:
    with peer() as web:
        settings = config(tmp_path, web.url)
        await told(settings, scan(0))
        for path in (tmp_path / "scans").rglob("*.json"):
            path.unlink()
        assert await told(settings, scan(0.1, [LATE])) == 0
        assert subjects(web)[-1] == {"opened": 1, "open": 1}


async def test_a_test_message_reaches_every_address(tmp_path: Path) -> None:
    with peer() as one, peer() as two:
        two.status = 500
        async with Notifier.opened(config(tmp_path, one.url, two.url)) as notifier:
            assert [why for _, why in await notifier.test()] == [None, "HTTP status 500"]
        assert json.loads(one.taken[0].body)["test"] is True


async def test_without_addresses_nothing_is_told_or_written(tmp_path: Path) -> None:
    async with open_history(config(tmp_path)) as kept, Notifier.opened(config(tmp_path)) as notifier:
        assert isinstance(kept, OpenHistory)
        assert await notifier.tell(scan(0), kept) == 0
    assert not os.listdir(tmp_path)

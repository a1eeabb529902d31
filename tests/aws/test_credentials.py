"""One account's way in: credentials are had once, however many ask, and never shown."""

from datetime import UTC, datetime, timedelta

import anyio
import pytest

from scanner.aws.credentials import RENEW_BEFORE, Credentials, Identity
from scanner.engine.source import CallFailed
from scanner.records import FailureKind

ASKERS = 20


class Door:
    """Gives out new credentials each time, once it has been opened; counts how often it was asked."""

    def __init__(self, *failures: CallFailed) -> None:
        self.asked = 0
        self._failures = list(failures)

    async def __call__(self) -> Credentials:
        self.asked += 1
        await anyio.lowlevel.checkpoint()
        if self._failures:
            raise self._failures.pop(0)
        return Credentials("111122223333", f"key-{self.asked}", "the-secret", "the-token")


async def all_at_once(identity: Identity) -> list[Credentials | CallFailed]:
    found: list[Credentials | CallFailed] = []

    async def ask() -> None:
        try:
            found.append(await identity.credentials())
        except CallFailed as failure:
            found.append(failure)

    async with anyio.create_task_group() as group:
        for _ in range(ASKERS):
            group.start_soon(ask)
    return found


async def test_all_who_ask_at_once_share_one_set() -> None:
    door = Door()
    found = await all_at_once(Identity(door))
    assert (door.asked, len(found)) == (1, ASKERS)
    assert all(each is found[0] for each in found)


async def test_all_who_waited_for_a_failure_share_it_and_the_next_asks_again() -> None:
    failure = CallFailed(FailureKind.ACCESS_DENIED, "no")
    door = Door(failure)
    identity = Identity(door)
    assert await all_at_once(identity) == [failure] * ASKERS
    assert door.asked == 1
    assert (await identity.credentials()).access_key == "key-2"


async def test_rejected_credentials_are_replaced_once_and_later_ones_are_kept() -> None:
    door = Door()
    identity = Identity(door)
    first = await identity.credentials()
    identity.reject(first)
    second = await identity.credentials()
    identity.reject(first)
    assert await identity.credentials() is second
    assert door.asked == 2


@pytest.mark.parametrize(
    ("left", "lasts"),
    [(RENEW_BEFORE + timedelta(seconds=1), True), (RENEW_BEFORE, False), (timedelta(seconds=-1), False)],
)
def test_credentials_last_until_five_minutes_before_their_end(left: timedelta, lasts: bool) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert Credentials(None, "key", "secret", expires_at=now + left).lasts(now) is lasts
    assert Credentials(None, "key", "secret").lasts(now)


def test_no_secret_is_shown() -> None:
    shown = repr(Credentials("111122223333", "key-id", "the-secret", "the-token"))
    assert "key-id" in shown
    assert "the-secret" not in shown
    assert "the-token" not in shown

"""One account's way in: credentials are had once, however many ask, and never shown."""

from datetime import UTC, datetime, timedelta

import anyio
import pytest

from scanner.aws.credentials.holder import ASK_AGAIN, FAILURE_STANDS, RENEW_BEFORE, Credentials, Identity
from scanner.inventory.records import FailureKind
from scanner.service.errors import CallFailed
from tests.virtual import run

ASKERS = 20


class Door:
    """Gives out new credentials each time, once it has been opened; counts how often it was asked."""

    def __init__(self, *failures: CallFailed, left: timedelta | None = None) -> None:
        self.asked = 0
        self._left = left
        self._failures = list(failures)

    async def __call__(self) -> Credentials:
        self.asked += 1
        await anyio.lowlevel.checkpoint()
        if self._failures:
            raise self._failures.pop(0)
        ends = None if self._left is None else datetime.now(UTC) + self._left
        return Credentials("111122223333", f"key-{self.asked}", "the-secret", "the-token", ends)


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


@pytest.mark.parametrize(
    ("failure", "asked_later"),
    [
        (CallFailed.of(FailureKind.ACCESS_DENIED, "no"), 1),
        (CallFailed.of(FailureKind.THROTTLED, "not yet", retryable=True), 2),
        (CallFailed.of(FailureKind.CREDENTIALS, "the clock was wrong", repeat=True), 2),
    ],
)
def test_a_failure_is_shared_by_all_who_wait_and_stands_while_nothing_can_mend_it(
    failure: CallFailed, asked_later: int
) -> None:
    """A thousand accounts behind a door that does not open knock once; ten seconds later it is tried anew."""

    async def main() -> list[int]:
        door = Door(failure)
        identity = Identity(door)
        assert await all_at_once(identity) == [failure] * ASKERS
        asked = [door.asked]
        await all_at_once(identity)
        asked.append(door.asked)
        await anyio.sleep(FAILURE_STANDS)
        assert not isinstance((await all_at_once(identity))[0], CallFailed)
        return asked

    assert run(main())[0] == [1, asked_later]


def test_credentials_that_end_soon_are_used_where_no_better_ones_are_to_be_had() -> None:
    """And asked for again after a minute, not for each call."""

    async def main() -> list[int]:
        door = Door(left=timedelta(minutes=4))
        identity = Identity(door)
        asked = []
        for _ in range(3):
            await identity.credentials()
            await identity.credentials()
            asked.append(door.asked)
            await anyio.sleep(ASK_AGAIN)
        return asked

    assert run(main())[0] == [1, 2, 3]


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


def test_an_end_at_the_edge_of_time_is_an_end() -> None:
    edge = datetime.min.replace(tzinfo=UTC)
    assert not Credentials(None, "key", "secret", expires_at=edge).lasts(datetime.now(UTC))


def test_secrets_are_hidden_in_what_others_say_and_words_are_not() -> None:
    found = Credentials(None, "key", "test", "a-long-session-token")
    assert found.hidden_in("user/test, a-long-session-token") == "user/test, [hidden]"


def test_no_secret_is_shown() -> None:
    shown = repr(Credentials("111122223333", "key-id", "the-secret", "the-token"))
    assert "key-id" in shown
    assert "the-secret" not in shown
    assert "the-token" not in shown

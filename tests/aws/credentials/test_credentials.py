"""How long credentials may be used, and that they are never shown."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from scanner.aws.credentials.credentials import (
    ASK_AGAIN,
    FAILURE_STANDS,
    RENEW_BEFORE,
    Credentials,
    Identity,
)
from scanner.inventory.records import FailureKind
from scanner.service.errors import CallFailed
from tests.virtual import run


def keys(name: str = "key", left: timedelta | None = None) -> Credentials:
    ends = None if left is None else datetime.now(UTC) + left
    return Credentials("111122223333", name, "the-secret", "the-token", ends)


@pytest.mark.parametrize(
    ("failure", "stands"),
    [
        (CallFailed.of(FailureKind.ACCESS_DENIED, "no"), True),
        (CallFailed.of(FailureKind.THROTTLED, "not yet", retryable=True), False),
        (CallFailed.of(FailureKind.CREDENTIALS, "the clock was wrong", repeat=True), False),
    ],
)
def test_a_failure_stands_for_ten_seconds_while_nothing_can_remove_its_cause(
    failure: CallFailed, stands: bool
) -> None:
    """A thousand accounts with the same base identity ask once; ten seconds later it is tried anew.

    For all but the first nothing has been sent, so it counts as no denial and no attempt of theirs.
    """

    def fails(identity: Identity) -> bool:
        try:
            identity.check()
        except CallFailed as again:
            return again.facts == replace(failure.facts, sent=False)
        return False

    async def main() -> list[bool]:
        identity = Identity()
        identity.fail(failure)
        asked = [fails(identity)]
        await anyio.sleep(FAILURE_STANDS)
        return [*asked, fails(identity)]

    assert run(main())[0] == [stands, False]


def test_credentials_that_end_soon_are_used_where_no_better_ones_are_to_be_had() -> None:
    """And asked for again after a minute, not for each call."""

    async def main() -> list[bool]:
        identity = Identity()
        identity.take(keys(left=timedelta(minutes=4)))
        fresh = [identity.fresh()]
        await anyio.sleep(ASK_AGAIN)
        return [*fresh, identity.fresh()]

    assert run(main())[0] == [True, False]


async def test_rejected_credentials_are_given_up_and_later_ones_are_kept() -> None:
    identity = Identity()
    identity.take(keys("first"))
    identity.reject(keys("first"))
    assert not identity.fresh()
    identity.take(keys("second"))
    identity.reject(keys("first"))
    assert identity.fresh()


def test_credentials_that_are_not_known_are_read_anew_once_in_a_while() -> None:
    """They may have been exchanged; or the Region is not enabled, and then every Region says the same."""

    async def main() -> list[bool]:
        identity = Identity()
        identity.take(keys())
        worthwhile = [identity.doubt(keys())]
        identity.take(keys())
        worthwhile.append(identity.doubt(keys()))
        await anyio.sleep(ASK_AGAIN)
        return [*worthwhile, identity.doubt(keys())]

    assert run(main())[0] == [True, False, True]


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
    longer = Credentials(None, "key", "a-long-secret-key")
    assert longer.hidden_in("signed with a-long-secret-key") == "signed with [hidden]"


def test_no_secret_is_shown() -> None:
    shown = repr(Credentials("111122223333", "key-id", "the-secret", "the-token"))
    assert "key-id" in shown
    assert "the-secret" not in shown
    assert "the-token" not in shown

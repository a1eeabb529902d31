"""A ping at the start and one with the exit status, in the forms of those who listen."""

from collections.abc import Iterator

import pytest

from scanner.notify.heartbeat import LONGEST_BODY, TRIES, Heartbeat

from .peers import Peer, peer


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    monkeypatch.setattr("scanner.notify.heartbeat.PAUSE", 0)
    with peer() as found:
        yield found


async def test_it_says_start_and_then_the_exit_status_with_the_summary(web: Peer) -> None:
    beat = Heartbeat(f"{web.url}/uuid?x=1", "run-1")
    await beat.started()
    await beat.ended(3, "ж" * 200_000)
    assert [taken.path for taken in web.taken] == ["/uuid/start?x=1&rid=run-1", "/uuid/3?x=1&rid=run-1"]
    assert len(web.taken[1].body) == LONGEST_BODY


def test_cronitor_has_a_form_of_its_own() -> None:
    beat = Heartbeat("https://cronitor.link/p/key/name?env=x", "run-1")
    assert beat.address("start") == "https://cronitor.link/p/key/name?env=x&state=run&series=run-1"
    assert "state=complete&series=run-1&status_code=0" in beat.address("0")
    assert "state=fail&series=run-1&status_code=3" in beat.address("3")


@pytest.mark.parametrize("status", [500, 302, 404])
async def test_after_three_tries_a_ping_that_fails_is_a_warning_without_the_address(
    web: Peer, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    web.status = status
    await Heartbeat(f"{web.url}/secret-uuid", "run-1").started()
    assert len(web.taken) == TRIES
    assert f"HTTP status {status}" in caplog.text
    assert "secret-uuid" not in caplog.text

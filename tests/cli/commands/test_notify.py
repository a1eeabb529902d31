"""Who is told by a scan on the command line, and what that changes: nothing but a warning."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner.emulator import Emulator, Fault
from tests.cli.conftest import CONFIG, TWO, Command, start
from tests.notify.peers import Peer, peer

NOTIFY = """
[history]
path = "kept"
[notify]
urls = ["${HOOK}"]
ping_url = "${BEAT}"
"""


@pytest.fixture
def hook(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    with peer() as found:
        monkeypatch.setenv("HOOK", f"{found.url}/very-secret-hook")
        (place / "scanner.toml").write_text(CONFIG + NOTIFY)
        yield found


@pytest.fixture
def beat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    with peer() as found:
        monkeypatch.setenv("BEAT", f"{found.url}/very-secret-beat")
        monkeypatch.setattr("scanner.notify.heartbeat.PAUSE", 0)
        yield found


def test_a_scan_tells_its_addresses_and_pings_its_start_and_its_exit_status(
    command: Command, hook: Peer, beat: Peer, place: Path
) -> None:
    assert command("scan", "-o", "report.json").code == 0
    (told,) = hook.taken
    assert json.loads(told.body)["fleet"] == place.name
    assert json.loads(told.body)["outputs"] == ["report.json"]
    paths = sorted(taken.path.partition("?")[0] for taken in beat.taken)
    assert paths == ["/very-secret-beat/0", "/very-secret-beat/start"]
    assert any(b"Scan complete" in taken.body for taken in beat.taken)


@pytest.mark.parametrize("status", [500, 302])
def test_what_cannot_be_told_is_a_warning_and_changes_no_exit_code(
    command: Command, hook: Peer, beat: Peer, status: int
) -> None:
    hook.status = beat.status = status
    said = command("scan")
    assert said.code == 0
    assert "no alert to ${HOOK}" in said.err
    assert "the heartbeat" in said.err
    assert "very-secret" not in said.out + said.err


def test_the_ping_carries_the_exit_code_or_only_how_the_scan_went(
    command: Command, hook: Peer, beat: Peer, place: Path, sgw_emulator: Emulator
) -> None:
    late = CONFIG.replace('rpo = "24h"', 'rpo = "1m"') + NOTIFY
    (place / "scanner.toml").write_text(late)
    assert command("scan").code == 1
    (place / "scanner.toml").write_text(late + 'ping_status = "scan"\n')
    assert command("scan").code == 1
    sgw_emulator.faults.add(Fault("server_error", account=TWO, operation="ListGateways"))
    assert command("scan").code == 1
    ends = [taken.path.partition("?")[0][-1] for taken in beat.taken if "start" not in taken.path]
    assert ends == ["1", "0", "3"]


def test_a_scan_that_cannot_begin_pings_its_exit_status_too(
    command: Command, hook: Peer, beat: Peer, place: Path
) -> None:
    (place / "kept").write_text("a file")
    assert command("scan").code == 2
    assert any("/very-secret-beat/2" in taken.path for taken in beat.taken)


def end_of(beat: Peer) -> str:
    (end,) = [taken.path.partition("?")[0] for taken in beat.taken if "/start" not in taken.path]
    return end.rpartition("/")[2]


def test_a_scan_that_its_deadline_ends_pings_its_exit_status(
    command: Command, hook: Peer, beat: Peer, sgw_emulator: Emulator
) -> None:
    sgw_emulator.faults.add(Fault("hang", operation="ListGateways"))
    code = command("scan", "--deadline", "300ms").code
    assert code in (3, 4)
    assert end_of(beat) == str(code)
    assert any(b"ended by the deadline" in taken.body for taken in beat.taken)


def test_a_scan_that_a_signal_ends_pings_its_exit_status(
    place: Path, hook: Peer, beat: Peer, sgw_emulator: Emulator
) -> None:
    sgw_emulator.faults.add(Fault("hang", operation="ListGateways"))
    with start("scan", folder=place) as process:
        assert beat.came.wait(30)
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert end_of(beat) == str(process.returncode)
    assert any(b"ended by a signal" in taken.body for taken in beat.taken)


def test_a_beat_that_never_answers_holds_up_no_scan(
    command: Command, hook: Peer, beat: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.notify.heartbeat.PATIENCE", 0.2)
    beat.status = 0
    assert command("scan").code == 0


def test_notify_test_says_who_took_it(command: Command, hook: Peer, beat: Peer) -> None:
    said = command("notify", "test")
    assert (said.code, said.out) == (0, "${HOOK}: delivered\nnotify.ping_url: delivered\n")
    hook.status = 404
    said = command("notify", "test")
    assert (said.code, said.out.splitlines()[0]) == (1, "${HOOK}: HTTP status 404")


def test_without_a_history_or_an_address_the_configuration_is_refused(
    command: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "scanner.toml").write_text(CONFIG + '[notify]\nurls = ["https://example.org"]\n')
    said = command("scan")
    assert said.code == 2
    assert "set history.path" in said.err
    (place / "scanner.toml").write_text(CONFIG + NOTIFY)
    said = command("scan")
    assert said.code == 2
    assert "BEAT is not set" in said.err
    (place / "scanner.toml").write_text(CONFIG)
    assert "nobody is to be told" in command("notify", "test").err


def test_a_check_reads_the_addresses_and_proves_the_history_and_tells_nobody(
    command: Command, hook: Peer, beat: Peer, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command("check").code == 0
    assert hook.taken == beat.taken == []
    monkeypatch.delenv("HOOK")
    assert "HOOK is not set" in command("check").err
    monkeypatch.setenv("HOOK", hook.url)
    (place / "kept").rmdir()
    (place / "kept").write_text("a file")
    assert command("check").code == 2

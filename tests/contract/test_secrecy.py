"""No secret leaves a scan, however much it is asked to tell."""

from pathlib import Path

import pytest

from scanner.emulator import Emulator, Fault, Key
from tests.cli.conftest import CONFIG, ONE, SECRET_ID, TWO, fleet, place, start

__all__ = ["place"]
KEY = "AKIDEXAMPLEOFTHEBASE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


@pytest.fixture
def sgw_fleet() -> object:
    served = fleet()
    served.accounts[0].keys.append(Key(KEY, SECRET))
    return served


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("wrong", [False, True])
def test_no_output_of_the_most_verbose_scan_holds_a_secret(
    place: Path, sgw_emulator: Emulator, monkeypatch: pytest.MonkeyPatch, form: str, wrong: bool
) -> None:
    """Neither of the base identity, nor of the sessions it assumed, nor the external id, right or wrong."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    external_id = "another-id-4711" if wrong else SECRET_ID
    (place / "scanner.toml").write_text(CONFIG.replace(SECRET_ID, external_id))
    sgw_emulator.faults.add(Fault("throttle", account=ONE, nth=1))
    sgw_emulator.faults.add(Fault("expired_token", account=ONE, nth=2))
    sgw_emulator.faults.add(Fault("access_denied", account=TWO, region="us-east-1"))
    places = [place / f"i.{suffix}" for suffix in ("json", "ndjson", "csv", "prom", "html")]
    words = [word for each in places for word in ("-o", str(each))]
    process = start("scan", "--verbose", "--log-format", form, *words, folder=place)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert "tried again" in err
    everything = out + err + "".join(each.read_text() for each in places)
    sessions = sgw_emulator.sessions
    assert sessions
    secrets = {external_id, SECRET_ID, KEY, SECRET, *sessions}
    for session in sessions.values():
        secrets |= {session.secret, str(session.token)}
    for secret in secrets:
        assert secret not in everything

"""One scan at a time, and nobody locked out by the dead."""

import json
import os
from pathlib import Path

import pytest

from scanner.cli.process.lock import hold, lock_path
from scanner.config.settings import LockSettings
from scanner.errors import ConfigError, LockError


def test_the_second_is_told_at_once_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.lock"
    with hold(path):
        with pytest.raises(LockError, match=rf"process {os.getpid()} on .+ since 20\d\d-"), hold(path):
            pass
        # The one that was refused took nothing away from the holder.
        with pytest.raises(LockError, match=f"process {os.getpid()}"), hold(path):
            pass
    with hold(path):
        pass


@pytest.mark.parametrize("left", ["", "{", "[]", '{"pid": 1}'])
def test_a_holder_that_left_no_word_still_holds(tmp_path: Path, left: str) -> None:
    path = tmp_path / "a.lock"
    with hold(path):
        (tmp_path / "a.lock.holder").write_text(left)
        with pytest.raises(LockError, match=r"another scan holds the lock$"), hold(path):
            pass


def test_what_a_dead_process_left_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "a.lock").write_text("")
    facts = {"pid": 2**22 + 1, "host": "gone", "since": "2026-01-01T00:00:00Z"}
    (tmp_path / "a.lock.holder").write_text(json.dumps(facts))
    with hold(tmp_path / "a.lock"):
        told = json.loads((tmp_path / "a.lock.holder").read_text())
        assert told["pid"] == os.getpid()
    assert not (tmp_path / "a.lock.holder").exists()


def test_what_the_holder_says_moves_nothing_on_the_terminal(tmp_path: Path) -> None:
    with hold(tmp_path / "a.lock"):
        facts = {"pid": 1, "host": "\x1b[31m", "since": "now"}
        (tmp_path / "a.lock.holder").write_text(json.dumps(facts))
        with pytest.raises(LockError, match=r"on \\x1b\[31m since"), hold(tmp_path / "a.lock"):
            pass


def test_an_empty_path_means_no_lock() -> None:
    assert lock_path(LockSettings(path=""), None) is None
    with hold(None), hold(None):
        pass


def test_each_configuration_has_its_own_in_the_runtime_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("SGW_SCANNER_CONFIG", raising=False)
    one = lock_path(LockSettings(), tmp_path / "one" / "scanner.toml")
    other = lock_path(LockSettings(), tmp_path / "other" / "scanner.toml")
    assert one
    assert other
    assert one != other
    assert one.is_relative_to(tmp_path)
    assert one.name.startswith("scanner-")
    monkeypatch.setenv("SGW_SCANNER_CONFIG", str(tmp_path / "one" / "scanner.toml"))
    assert lock_path(LockSettings(), None) == one


def test_a_place_that_admits_no_lock_is_a_mistake_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = r'lock\.path: .* set another path, or "" for none'
    with pytest.raises(ConfigError, match=told), hold(tmp_path / "file" / "a.lock"):
        pass

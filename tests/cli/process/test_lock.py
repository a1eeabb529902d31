"""One scan at a time, and nobody locked out by the dead."""

import fcntl
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.cli.process.lock import hold, lock_paths
from scanner.config.settings import LockSettings
from scanner.errors import ConfigError, LockError

STRANGER = 65534
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another user")


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
    assert lock_paths(LockSettings(path=""), None) == ()
    with hold(), hold():
        pass


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What stands for /tmp; root has no folder of its own."""
    folder = tmp_path / "shared"
    folder.mkdir()
    monkeypatch.setattr("scanner.cli.process.lock.SHARED", folder)
    monkeypatch.setattr("scanner.cli.process.lock.ROOTS_ALONE", tmp_path / "none")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "missing"))
    monkeypatch.delenv("SGW_SCANNER_CONFIG", raising=False)
    return folder


def test_each_configuration_has_its_own_in_the_runtime_folder(
    tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    one = lock_paths(LockSettings(), tmp_path / "one" / "scanner.toml")
    other = lock_paths(LockSettings(), tmp_path / "other" / "scanner.toml")
    assert not set(one) & set(other)
    assert [path.parent for path in one] == [shared / f"sgw-scanner-{os.geteuid()}", tmp_path / "sgw-scanner"]
    for path in one:
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert path.name.startswith("scanner-")
    monkeypatch.setenv("SGW_SCANNER_CONFIG", str(tmp_path / "one" / "scanner.toml"))
    assert lock_paths(LockSettings(), None) == one


@pytest.mark.parametrize("first", ["shell", "cron"])
def test_a_scan_in_a_shell_and_one_under_cron_exclude_each_other(
    tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """Only a shell has a runtime folder, and perhaps a temporary one of its own."""
    under_cron = lock_paths(LockSettings(), tmp_path / "scanner.toml")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    in_a_shell = lock_paths(LockSettings(), tmp_path / "scanner.toml")
    one, other = (in_a_shell, under_cron) if first == "shell" else (under_cron, in_a_shell)
    with hold(*one), pytest.raises(LockError, match=f"process {os.getpid()}"), hold(*other):
        pass


@only_root
def test_root_has_its_locks_where_nobody_else_can_take_their_names(
    tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.cli.process.lock.ROOTS_ALONE", tmp_path)
    assert [path.parent for path in lock_paths(LockSettings(), None)] == [tmp_path / "sgw-scanner"]


def stranger_took(folder: Path) -> None:
    folder.mkdir()
    os.chown(folder, STRANGER, STRANGER)


def opened_to_all(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)


def stranger_linked(folder: Path) -> None:
    folder.symlink_to(folder.parent)


def file_instead(folder: Path) -> None:
    folder.write_text("")


@pytest.mark.parametrize(
    "taken",
    [pytest.param(stranger_took, marks=only_root), opened_to_all, stranger_linked, file_instead],
)
def test_a_folder_that_is_not_ours_alone_is_never_used(
    tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch, taken: Callable[[Path], None]
) -> None:
    """The user's runtime folder stands in; without one the mistake is told."""
    taken(shared / f"sgw-scanner-{os.geteuid()}")
    with pytest.raises(ConfigError, match=r"lock\.path: .*sgw-scanner-.*; set another path"):
        lock_paths(LockSettings(), None)
    own = tmp_path / "runtime"
    own.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(own))
    assert [path.parent for path in lock_paths(LockSettings(), None)] == [own / "sgw-scanner"]


@only_root
@pytest.mark.parametrize("planted", ["a.lock", "a.lock.holder"])
def test_no_link_of_a_stranger_is_written_through(tmp_path: Path, planted: str) -> None:
    """In a folder where others may write, as /tmp, where the configuration asks for the lock."""
    precious = tmp_path / "precious"
    precious.write_text("precious")
    public = tmp_path / "public"
    public.mkdir()
    public.chmod(0o1777)
    (public / planted).symlink_to(precious)
    os.lchown(public / planted, STRANGER, STRANGER)
    if planted == "a.lock":
        with (
            pytest.raises(ConfigError, match=f"is a link that user {STRANGER} made"),
            hold(public / "a.lock"),
        ):
            pass
    else:
        with hold(public / "a.lock"):
            assert json.loads((public / planted).read_text())["pid"] == os.getpid()
    assert precious.read_text() == "precious"


def test_a_pipe_instead_of_the_lock_does_not_hold_anybody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.lock")
    with pytest.raises(ConfigError, match="is no regular file"), hold(tmp_path / "a.lock"):
        pass


def test_a_pipe_instead_of_the_word_does_not_hold_anybody_up(tmp_path: Path) -> None:
    with hold(tmp_path / "a.lock"):
        (tmp_path / "a.lock.holder").unlink()
        os.mkfifo(tmp_path / "a.lock.holder")
        with pytest.raises(LockError, match=r"holds the lock$"), hold(tmp_path / "a.lock"):
            pass


def test_a_lock_that_was_tidied_away_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opened the old file must not believe to hold it."""
    with hold(tmp_path / "a.lock"):
        pass
    real = fcntl.flock

    def tidied(handle: int, kind: int) -> None:
        monkeypatch.setattr(fcntl, "flock", real)
        (tmp_path / "a.lock").unlink()
        real(handle, kind)

    monkeypatch.setattr(fcntl, "flock", tidied)
    with hold(tmp_path / "a.lock"), pytest.raises(LockError), hold(tmp_path / "a.lock"):
        pass


def test_the_longest_name_of_a_configuration_has_a_lock(tmp_path: Path, shared: Path) -> None:
    with hold(*lock_paths(LockSettings(), tmp_path / ("語" * 83 + ".toml"))):
        pass
    assert list(shared.glob("*/語*.lock"))


def test_a_lock_that_is_held_looks_new(tmp_path: Path) -> None:
    """What tidies up /tmp removes files that are old."""
    lock = tmp_path / "a.lock"
    lock.write_text("")
    os.utime(lock, (0, 0))
    with hold(lock):
        assert lock.stat().st_mtime > 0


def test_a_working_folder_that_is_gone_is_no_defect(
    tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with hold(*lock_paths(LockSettings(), None)):
        pass
    with pytest.raises(ConfigError, match=r"lock\.path: a\.lock: "), hold(Path("a.lock")):
        pass


def test_a_place_that_admits_no_lock_is_a_mistake_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = r'lock\.path: .* set another path, or "" for none'
    with pytest.raises(ConfigError, match=told), hold(tmp_path / "file" / "a.lock"):
        pass

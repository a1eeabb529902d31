"""A file is whole or not there, whatever happens."""

import errno
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from scanner.errors import OutputError
from scanner.output import check_output, check_outputs, open_output
from scanner.output.atomic_files import atomic, check_writable

STRANGER = 65534
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another user")


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def refuse(
    monkeypatch: pytest.MonkeyPatch, call: str, number: int, when: Callable[..., Any] = lambda *_: True
) -> None:
    """Has a call of `os` fail, as it does on some file systems, if `when` says so of its second argument."""
    real = getattr(os, call)

    def refused(first: Any, *others: Any, **more: Any) -> Any:
        if when(*(others[:1] or [first])):
            raise OSError(number, os.strerror(number))
        return real(first, *others, **more)

    monkeypatch.setattr(os, call, refused)


def write(place: Path, content: bytes = b"new", mode: int | None = None) -> None:
    check_writable(place)
    with atomic(place, mode) as stream:
        stream.write(content)


@contextmanager
def mask(bits: int) -> Iterator[None]:
    before = os.umask(bits)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def stranger() -> Iterator[None]:
    """In the block this process is another user's."""
    os.seteuid(STRANGER)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder where everybody may write, and that everybody may reach."""
    with TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        folder = Path(made) / "public"
        folder.mkdir()
        folder.chmod(0o1777)
        yield folder


def mode_of(place: Path) -> int:
    return stat.S_IMODE(place.lstat().st_mode)


def test_a_new_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    """Nobody sees it before, and nothing else is left behind."""
    place = tmp_path / "a.json"
    with atomic(place) as stream:
        stream.write(b"whole")
        assert not place.exists()
    assert place.read_bytes() == b"whole"
    assert names(tmp_path) == ["a.json"]
    umask = os.umask(0o022)
    os.umask(umask)
    assert place.stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_file_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    """A metrics file readable by another user stays so."""
    place = tmp_path / "a.prom"
    place.write_bytes(b"old")
    place.chmod(0o640)
    with atomic(place) as stream:
        stream.write(b"new")
        assert place.read_bytes() == b"old"
    assert place.read_bytes() == b"new"
    assert place.stat().st_mode & 0o777 == 0o640


def test_an_error_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    """The block's own error comes through unchanged."""
    place = tmp_path / "a.json"
    place.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), atomic(place) as stream:
        stream.write(b"half")
        raise ZeroDivisionError
    assert place.read_bytes() == b"old"
    assert names(tmp_path) == ["a.json"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """What it points to is replaced, beside itself."""
    (tmp_path / "real").mkdir()
    place, real = tmp_path / "latest.json", tmp_path / "real" / "a.json"
    place.symlink_to(real)
    with atomic(place) as stream:
        stream.write(b"new")
    assert place.is_symlink()
    assert real.read_bytes() == b"new"


def test_a_full_disk_is_an_output_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file system's refusal names the place and leaves the old file."""

    def refuse(handle: int) -> None:
        raise OSError(28, "No space left on device")

    place = tmp_path / "a.json"
    place.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OutputError, match=r"a\.json: No space left on device"), atomic(place) as stream:
        stream.write(b"new")
    assert place.read_bytes() == b"old"
    assert names(tmp_path) == ["a.json"]


def test_a_folder_that_vanished_is_an_output_error(tmp_path: Path) -> None:
    """It was there when the scan began, and is gone when it ends."""
    with pytest.raises(OutputError, match="No such file or directory"), atomic(tmp_path / "no" / "a.json"):
        pass


def test_what_cannot_be_written_is_found_out_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each refusal says what to do; nothing is created by asking."""
    check_writable(tmp_path / "a.json")
    with pytest.raises(OutputError, match="is a folder"):
        check_writable(tmp_path)
    with pytest.raises(OutputError, match=r"mkdir -p .*/no"):
        check_writable(tmp_path / "no" / "a.json")
    with pytest.raises(OutputError, match="no regular file"):
        check_writable("/dev/null")
    assert names(tmp_path) == []

    refuse(monkeypatch, "open", errno.EROFS, when=lambda flags: flags & os.O_CREAT)
    with pytest.raises(OutputError, match="Read-only file system; choose a folder"):
        check_writable(tmp_path / "a.json")


def test_new_metrics_are_readable_by_all_whatever_the_umask(tmp_path: Path) -> None:
    """node_exporter is another user; one who has chosen a mode keeps it."""
    place = tmp_path / "sgw.prom"
    with mask(0o077), open_output(check_output(str(place))) as stream:
        stream.write(b"new")
    assert mode_of(place) == 0o644
    place.chmod(0o640)
    with mask(0o077), open_output(check_output(str(place))) as stream:
        stream.write(b"newer")
    assert mode_of(place) == 0o640


def test_special_bits_are_never_taken_over(tmp_path: Path) -> None:
    """Not even from a file of our own."""
    place = tmp_path / "a.json"
    place.write_bytes(b"old")
    place.chmod(0o6755)
    write(place)
    assert mode_of(place) == 0o755


@only_root
@pytest.mark.parametrize("sticky", [0o1777, 0o777, 0o755])
def test_nothing_is_taken_over_from_a_file_of_a_stranger(public: Path, sticky: int) -> None:
    """Neither its mode, which could be setuid and open to all, nor its owner."""
    place = public / "a.json"
    place.write_bytes(b"bait")
    os.chown(place, STRANGER, STRANGER)
    place.chmod(0o6777)
    public.chmod(sticky)
    with mask(0o022):
        write(place)
    found = place.stat()
    assert (mode_of(place), found.st_uid, found.st_gid) == (0o644, 0, os.getegid())
    assert place.read_bytes() == b"new"


@only_root
def test_the_group_of_a_file_of_our_own_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it may not be given, no other group gets its rights."""
    place = tmp_path / "a.json"
    place.write_bytes(b"old")
    os.chown(place, 0, STRANGER)
    place.chmod(0o664)
    write(place)
    assert (place.stat().st_gid, mode_of(place)) == (STRANGER, 0o664)
    refuse(monkeypatch, "fchown", errno.EPERM)
    write(place)
    assert (place.stat().st_gid, mode_of(place)) == (os.getegid(), 0o644)


@only_root
@pytest.mark.parametrize("mode", [0o1777, 0o777])
@pytest.mark.parametrize("link", ["a.json", "way"])
def test_a_link_of_a_stranger_is_not_followed(public: Path, tmp_path: Path, mode: int, link: str) -> None:
    """Neither at the place itself nor on the way to it; found out before the scan."""
    precious = tmp_path / "a.json"
    precious.write_bytes(b"precious")
    public.chmod(mode)
    (public / link).symlink_to(precious if link == "a.json" else tmp_path)
    os.lchown(public / link, STRANGER, STRANGER)
    place = public / "a.json" if link == "a.json" else public / "way" / "a.json"
    with pytest.raises(OutputError, match=f"{link} is a link that user {STRANGER} made"):
        check_writable(place)
    with pytest.raises(OutputError, match="is a link"), atomic(place) as stream:
        stream.write(b"new")
    assert precious.read_bytes() == b"precious"
    os.lchown(public / link, 0, 0)
    write(place)
    assert precious.read_bytes() == b"new"


@only_root
def test_a_file_that_may_not_be_replaced_is_found_out_before(public: Path) -> None:
    """Of another user in a folder such as /tmp."""
    place = public / "a.json"
    place.write_bytes(b"old")
    with stranger(), pytest.raises(OutputError, match="belongs to user 0, and nobody else may replace it"):
        check_writable(place)
    assert place.read_bytes() == b"old"


@only_root
@pytest.mark.parametrize("mode", [0o333, 0o1733])
def test_a_folder_that_may_not_be_read_is_written(public: Path, mode: int) -> None:
    """Whoever drops something there need not see the rest."""
    public.chmod(mode)
    with stranger():
        write(public / "a.json")
        write(public / "a.json", b"newer")
    assert (public / "a.json").read_bytes() == b"newer"
    assert names(public) == ["a.json"]


@only_root
def test_a_folder_that_may_not_be_entered_is_found_out_before(public: Path) -> None:
    """With the place and the remedy."""
    public.chmod(0o750)
    with stranger(), pytest.raises(OutputError, match=r"a\.json: Permission denied; choose a folder"):
        check_writable(public / "a.json")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("x" * 300 + ".json", "File name too long; choose a shorter name"),
        ("a\0.json", "cannot be the name of a file"),
        ("loop/a.json", "Too many levels of symbolic links"),
        ("file/a.json", "Not a directory"),
        ("new/", "name a file in it"),
    ],
)
def test_a_path_that_cannot_be_is_found_out_before(tmp_path: Path, name: str, told: str) -> None:
    """Whatever the system says of it."""
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match=told):
        check_writable(f"{tmp_path}/{name}")


def test_a_name_as_long_as_may_be_is_written(tmp_path: Path) -> None:
    """The file beside it has a name of its own."""
    place = tmp_path / ("ä" * 125 + ".json")
    write(place)
    assert place.read_bytes() == b"new"


def test_a_working_folder_that_is_gone_is_found_out_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release that was replaced meanwhile; a place elsewhere is written."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(OutputError, match=r"^a\.json: "):
        check_outputs(["a.json"])
    write(tmp_path / "a.json")


def is_folder(handle: int) -> bool:
    return stat.S_ISDIR(os.fstat(handle).st_mode)


def test_file_systems_that_know_no_modes_and_flush_no_folders_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drives of Windows, some in user space."""
    place = tmp_path / "a.prom"
    refuse(monkeypatch, "fchmod", errno.EPERM)
    refuse(monkeypatch, "fsync", errno.EINVAL, when=is_folder)
    for content in (b"new", b"newer"):
        write(place, content, 0o644)
        assert place.read_bytes() == content
    monkeypatch.undo()
    refuse(monkeypatch, "fsync", errno.EINVAL)
    write(place, b"newest")
    assert place.read_bytes() == b"newest"


def test_a_file_that_is_mounted_alone_is_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As into a container: it cannot be replaced. What was longer leaves no rest."""
    place = tmp_path / "a.json"
    place.write_bytes(b"what was longer")
    inode = place.stat().st_ino
    refuse(monkeypatch, "rename", errno.EBUSY)
    write(place)
    assert (place.read_bytes(), place.stat().st_ino) == (b"new", inode)
    assert names(tmp_path) == ["a.json"]


def test_a_file_in_a_folder_that_admits_no_other_is_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of our own, and where it has no second name that somebody else may have given it."""
    place = tmp_path / "a.json"
    place.write_bytes(b"what was longer")
    refuse(monkeypatch, "open", errno.EROFS, when=lambda flags: flags & os.O_EXCL and flags & os.O_NONBLOCK)
    write(place)
    assert place.read_bytes() == b"new"
    (tmp_path / "b.json").hardlink_to(place)
    with pytest.raises(OutputError, match="Read-only file system"):
        check_writable(place)


def test_a_disk_without_room_leaves_the_file_that_is_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room is taken before the old content is touched; what fails all the same is told."""
    place = tmp_path / "a.json"
    place.write_bytes(b"old")
    refuse(monkeypatch, "rename", errno.EBUSY)
    refuse(monkeypatch, "posix_fallocate", errno.ENOSPC)
    with pytest.raises(OutputError, match="No space left on device"), atomic(place) as stream:
        stream.write(b"something longer")
    assert place.read_bytes() == b"old"
    monkeypatch.undo()
    refuse(monkeypatch, "rename", errno.EBUSY)
    refuse(monkeypatch, "write", errno.EIO)
    with pytest.raises(OutputError, match="what stands there now is not whole"), atomic(place) as stream:
        stream.write(b"new")


DYING = """
import os, signal, sys
from scanner.output.atomic_files import atomic

with atomic(sys.argv[1]) as stream:
    stream.write(b"half")
    stream.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_killed_runs_left_is_cleared(tmp_path: Path) -> None:
    """At the next run, and nothing else: no file of a run that still writes, nor one of another name."""
    subprocess.run([sys.executable, "-c", DYING, str(tmp_path / "a.json")], check=False, timeout=60)
    assert len(names(tmp_path)) == 1
    (tmp_path / ".mine.tmp").write_bytes(b"")
    with atomic(tmp_path / "b.json") as living:
        living.write(b"whole")
        write(tmp_path / "a.json")
        assert len(names(tmp_path)) == 3
    assert names(tmp_path) == [".mine.tmp", "a.json", "b.json"]
    assert (tmp_path / "b.json").read_bytes() == b"whole"


@only_root
def test_what_strangers_left_is_not_touched(public: Path) -> None:
    """Neither their files, nor a link under such a name."""
    left, link = (public / f".sgw-scanner-{letter * 16}.tmp" for letter in "ab")
    left.write_bytes(b"theirs")
    os.chown(left, STRANGER, STRANGER)
    link.symlink_to(left)
    write(public / "a.json")
    assert names(public) == [left.name, link.name, "a.json"]


def test_without_locks_only_what_is_old_is_cleared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some file systems cannot tell whether a writer lives."""

    def unknown(handle: int, kind: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", unknown)
    old, young = (tmp_path / f".sgw-scanner-{letter * 16}.tmp" for letter in "ab")
    for left in (old, young):
        left.write_bytes(b"half")
    long_ago = time.time() - 90_000
    os.utime(old, (long_ago, long_ago))
    write(tmp_path / "a.json")
    assert names(tmp_path) == [young.name, "a.json"]


KILLED = """
import os, random, signal, sys, time
from pathlib import Path
from scanner.output.atomic_files import atomic

place, dice, SIZE = Path(sys.argv[1]), random.Random(7), 8 * 4096 * 64

def write_for_ever(number):
    while True:
        number += 1
        with atomic(place) as stream:
            for _ in range(64):
                stream.write(f"{number:08d}".encode() * 4096)

for attempt in range(100):
    before = place.stat().st_mtime_ns if place.exists() else 0
    child = os.fork()
    if not child:
        write_for_ever(attempt * 100_000)
    while not (place.exists() and place.stat().st_mtime_ns > before):
        time.sleep(0.0005)
    time.sleep(dice.uniform(0, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    content = place.read_bytes()
    assert len(content) == SIZE and content == content[:8] * (SIZE // 8), attempt
print("whole each time")
"""


def test_a_kill_at_a_hundred_random_moments_leaves_a_whole_file(tmp_path: Path) -> None:
    """SIGKILL asks nobody: whoever reads sees one version, never parts of two or half of one."""
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "a.json")],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.stdout == "whole each time\n", ended.stderr

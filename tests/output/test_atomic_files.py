"""A file is whole or not there, whatever happens."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scanner.errors import OutputError
from scanner.output import atomic_files as files
from scanner.output.atomic_files import atomic, check_place


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


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
    check_place(tmp_path / "a.json")
    with pytest.raises(OutputError, match="is a folder"):
        check_place(tmp_path)
    with pytest.raises(OutputError, match=r"mkdir -p .*/no"):
        check_place(tmp_path / "no" / "a.json")
    with pytest.raises(OutputError, match="no regular file"):
        check_place("/dev/null")
    assert names(tmp_path) == []

    def refuse(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(files, "NamedTemporaryFile", refuse)
    with pytest.raises(OutputError, match="Read-only file system; choose a folder"):
        check_place(tmp_path / "a.json")


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

"""Four writers into one history, killed at random moments: what they acknowledged is there, and everything is whole.

python -m benchmarks.history kills [KILLS]
"""

import os
import random
import tempfile
import time
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from benchmarks.served import verdict
from scanner.history.folder import TEMPORARY
from scanner.history.retention import prune
from scanner.history.store import History
from scanner.inventory.model import Inventory
from tests.history.scans import HOUR, ONE, TWO, Seen, scan

KILLS, WRITERS = 1_000, 4
LONGEST = 1.6
"""Seconds that a writer lives at most once it writes: time for a few scans."""
EACH = 1_000
"""Numbers of scans that each writer has for itself."""
LOOK_EVERY = 50
"""Kills after which a reader looks at the history while the others write."""


def written(number: int) -> Inventory:
    """The scan of this number: a few to a few hundred volumes, the same whenever it is asked for."""
    dice = random.Random(number)
    ages = {each: dice.randrange(1, 60) * HOUR for each in range(1, dice.choice((2, 20, 200)))}
    return scan(number / EACH, [Seen(ONE, ages), Seen(TWO, {1: HOUR})], id_of(number))


def id_of(number: int) -> str:
    return f"{number:08d}-0000-7000-8000-000000000000"


def write(path: str, first: int, told: Connection) -> None:
    """Appends scans until it is killed; tells the number of each once it is kept."""
    history = History(path)
    told.send(None)
    for number in range(first, first + EACH):
        history.append(written(number))
        told.send(number)


@dataclass
class Writer:
    """A process that writes, what it tells, and when it is to die."""

    process: BaseProcess
    told: Connection
    dies_at: float

    def killed(self) -> set[int]:
        """Kills it; the numbers of the scans that it acknowledged."""
        self.process.kill()
        self.process.join()
        numbers = set()
        try:
            while True:
                numbers.add(self.told.recv())
        except (EOFError, OSError):
            self.told.close()
        return numbers


@dataclass
class Found:
    """What came of the kills."""

    acknowledged: set[int] = field(default_factory=set)
    kept: int = 0
    in_an_append: int = 0
    """Kills that met an append; `between_files`: of those, with some files in place already and no manifest."""
    between_files: int = 0
    lost: int = 0
    bad: list[str] = field(default_factory=list)
    left: int = 0
    """Files that are still there once a day has gone by, and belong to no scan."""


def killed(path: Path, kills: int) -> Found:
    """Kills so many writers, then looks at what they left."""
    found, dice, context = Found(), random.Random(3), get_context("forkserver")
    # Each writer has all its imports from the start, and dies at its work instead of in its birth.
    context.set_forkserver_preload(["benchmarks.kills", "duckdb"])
    writers: list[Writer] = []
    for number in range(kills + WRITERS):
        if len(writers) == WRITERS or number >= kills:
            writer = min(writers, key=lambda each: each.dies_at)
            writers.remove(writer)
            time.sleep(max(0.0, writer.dies_at - time.monotonic()))
            found.acknowledged |= writer.killed()
        if number < kills:
            heard, told = context.Pipe(duplex=False)
            process = context.Process(target=write, args=(str(path), number * EACH, told))
            process.start()
            told.close()
            heard.recv()
            writers.append(Writer(process, heard, time.monotonic() + dice.random() * LONGEST))
        if number % LOOK_EVERY == 0:
            found.bad += left_out(path)
    look(path, found)
    return found


def left_out(path: Path) -> list[str]:
    """The manifests that a reader takes for damaged, at this moment."""
    history = History(path)
    names = set(history.manifest_names())
    return [f"{name}: is left out" for name in names - {each.name for each in history.manifests()}]


def look(path: Path, found: Found) -> None:
    """Compares all that is kept with what was written, and lets a day go by."""
    history = History(path)
    kept = {scan.id for scan in history.scans()}
    found.kept = len(kept)
    found.lost = len({id_of(number) for number in found.acknowledged} - kept)
    found.bad += [*left_out(path), *history.problems()]
    found.bad += [
        f"{each}: is not what was written" for each in kept if history.read(each) != written(int(each[:8]))
    ]
    found.in_an_append = len(list(path.glob(f"{TEMPORARY}*")))
    past = time.time() - timedelta(days=2).total_seconds()
    for file in path.rglob("*"):
        os.utime(file, (past, past))
    found.between_files = len({Path(name).name for name in prune(history, timedelta(days=10_000)).orphans})
    manifests = history.manifests()
    wanted = {each.name for each in manifests} | {file.name for each in manifests for file in each.files}
    found.left = len(
        {each.relative_to(path).as_posix() for each in path.rglob("*") if each.is_file()} - wanted
    )
    found.lost += found.kept - len(history.scans())


def main(kills: int = KILLS) -> None:
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        found = killed(Path(folder), kills)
    print(
        f"{kills:,} kills of {WRITERS} writers into one history, {found.in_an_append:,} of them in an append and"
        f" {found.between_files:,} of those with files in place: {found.kept:,} scans kept, of"
        f" {len(found.acknowledged):,} acknowledged {found.lost} lost, {len(found.bad)} bad, {found.left} files left"
        f" ({time.perf_counter() - began:.0f} s)"
    )
    for fault in found.bad[:10]:
        print(f"  {fault}")
    verdict(
        {
            "every acknowledged scan is there": not found.lost,
            "every scan is whole, and what was written": not found.bad,
            "what killed writers leave is swept after a day": not found.left,
            "one kill of ten met an append": found.in_an_append >= kills // 10,
        }
    )

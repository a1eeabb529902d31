"""Draws the plots of docs/pacing.md, from runs in virtual time.

python -m benchmarks.pace_plots [FOLDER] [SUFFIX]
"""

import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.pace_buckets import PACES, SHARE, TIME, Case
from tests.engine.bucket import Bucket, Run, ideal, run

ADMITTED, THROTTLED, INK, GOOD = "#4a7fb5", "#c8432b", "#222222", "#dcebdc"
BIN = 0.5  # seconds
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "svg.hashsalt": "pacing",
    "figure.facecolor": "white",
}


def rates(axes: Axes, result: Run, bucket: Bucket, end: float, top: float) -> None:
    """What was sent, half a second at a time, against what the bucket admits."""
    edges = [number * BIN for number in range(int(end / BIN) + 2)]
    for name, colour, wanted in (("admitted", ADMITTED, True), ("throttled", THROTTLED, False)):
        below = [0.0] * (len(edges) - 1)
        heights = list(below)
        for sent_at, admitted in result.answers:
            slot = int(sent_at / BIN)
            if slot >= len(heights):
                continue
            if admitted == wanted:
                heights[slot] += 1 / BIN
            elif not wanted:
                below[slot] += 1 / BIN
        axes.bar(edges[:-1], heights, BIN, below, align="edge", color=colour, label=name, linewidth=0)
    turn, after = bucket.change or (end, bucket.rate)
    axes.plot(
        [0, turn, turn, end], [bucket.rate, bucket.rate, after, after], color=INK, lw=1.2, label="limit"
    )
    axes.set_xlim(0, end)
    axes.set_ylim(0, top)


def over_time(make: Callable[[], Bucket], calls: int, end: float, top: float, title: str) -> Figure:
    """A row for each way of pacing, on the same bucket."""
    best = ideal(make(), calls=calls, in_flight=8, latency=0.05, jitter=0.1)
    figure, rows = plt.subplots(len(PACES), 1, figsize=(8, 6), sharex=True, layout="constrained")
    for axes, (name, pace) in zip(rows, PACES.items(), strict=True):
        result = run(pace(), make(), calls=calls, latency=0.05, jitter=0.1, seed=1)
        rates(axes, result, make(), end, top)
        axes.set_title(
            f"{name}: {result.seconds:.1f} s ({result.seconds / best:.2f} × ideal), "
            f"{100 * result.throttled_share:.1f} % throttled"
        )
        axes.set_ylabel("calls/s")
    rows[0].legend(frameon=False, ncols=3, loc="upper right")
    rows[-1].set_xlabel("seconds")
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    return figure


def buckets(count: int = 500) -> Figure:
    """A dot for each bucket: how long it took, and how much was throttled."""
    figure, grid = plt.subplots(
        2, len(PACES), figsize=(8, 5.4), sharex=True, sharey=True, layout="constrained"
    )
    with ProcessPoolExecutor() as pool:
        for row, calls in zip(grid, (220, 1000), strict=True):
            for axes, name in zip(row, PACES, strict=True):
                cases = [Case(seed, calls) for seed in range(count)]
                outcomes = list(pool.map(partial(Case.outcome, pace=name), cases, chunksize=25))
                axes.axhspan(0, 100 * SHARE, 0, (TIME - 0.9) / 1.6, color=GOOD, zorder=0)
                axes.scatter(
                    [min(times, 2.5) for times, _, _ in outcomes],
                    [100 * share for _, share, _ in outcomes],
                    s=5,
                    color=ADMITTED,
                    alpha=0.5,
                    linewidth=0,
                    clip_on=False,
                    rasterized=True,
                )
                axes.set_title(f"{name}, {calls} calls")
    grid[0][0].set_xlim(0.9, 2.5)
    grid[0][0].set_ylim(0, 35)
    for axes in grid[1]:
        axes.set_xlabel("× ideal (2.5: or more)")
    for row in grid:
        row[0].set_ylabel("% throttled")
    figure.suptitle(f"{count} buckets each; green: within both yardsticks", x=0.01, ha="left", weight="bold")
    return figure


def main(folder: str = "docs", suffix: str = "svg") -> None:
    """Writes the plots."""
    mpl.use("Agg")
    with mpl.rc_context(STYLE):
        figures = {
            "steady": over_time(
                lambda: Bucket(20, 20), 500, 32, 80, "A steady limit: 20 calls/s, burst 20, 500 calls"
            ),
            "change": over_time(
                lambda: Bucket(20, 20, change=(20, 50)),
                1200,
                45,
                110,
                "A limit that rises from 20 to 50 calls/s",
            ),
            "fall": over_time(
                lambda: Bucket(40, 20, change=(12, 10)),
                700,
                45,
                110,
                "A limit that falls from 40 to 10 calls/s",
            ),
            "lifted": over_time(
                lambda: Bucket(1e-9, 5, change=(20, 50)),
                1000,
                55,
                110,
                "A limit that admits nothing for 20 seconds, then 50 calls/s",
            ),
            "buckets": buckets(),
        }
        for name, figure in figures.items():
            path = Path(folder, f"pacing-{name}.{suffix}")
            figure.savefig(path, metadata={"Date": None} if suffix == "svg" else None, dpi=110)
            print(path)


if __name__ == "__main__":
    main(*sys.argv[1:])

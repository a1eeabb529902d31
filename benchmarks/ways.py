"""How many files a person reads to follow one answer: `python -m benchmarks.ways`.

Runs a scan of one volume gateway against the embedded service, and counts with `sys.setprofile` which files of
the package run, and how often the run changes from one file to another, on two ways:

- an answer of ListVolumeRecoveryPoints, from the connection that it came in by to the collected inventory;
- a refusal of the same call, from the connection to the printed remedy. What the summary prints besides is left out.
"""

import asyncio
import io
import os
import sys
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any
from unittest import mock

import scanner
from scanner import Scanner, ScannerConfig
from scanner.cli.terminal import summary
from scanner.emulator import Account, Fault, Fleet, Gateway, Volume, background
from scanner.inventory import FailureSeen, GatewayEnded, Inventory, ScanEnded, TargetEnded, TargetPlanned
from scanner.policy import Policy
from scanner.summary import Statistics

ROOT = Path(scanner.__file__).parent
ACCOUNT = "111122223333"


class Trace:
    """The files of the package that run, in their order, from an answer until the collector has `last`."""

    def __init__(self, last: type[GatewayEnded] | type[FailureSeen]) -> None:
        self._last = last
        self.way: list[str] = []
        self.on = False

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        name = frame.f_code.co_filename
        if event == "return" and frame.f_code.co_name == "send" and name.endswith("aws/connections.py"):
            self.on = self.on or self._is_asked(frame)
        # What runs after a return is what called.
        running = frame.f_back if event == "return" else frame
        if self.on and running and running.f_code.co_filename.startswith(str(ROOT)):
            file = str(Path(running.f_code.co_filename).relative_to(ROOT))
            if not self.way or self.way[-1] != file:
                self.way.append(file)

        if event == "return" and frame.f_code.co_name == "add" and name.endswith("inventory/collect.py"):
            self.on = self.on and not isinstance(frame.f_locals["event"], self._last)

    @staticmethod
    def _is_asked(frame: FrameType) -> bool:
        headers = frame.f_locals.get("headers", {})
        return "ListVolumeRecoveryPoints" in str(headers.get("x-amz-target")) and "found" in frame.f_locals

    def describe(self, what: str) -> str:
        return f"{what}: {len(set(self.way))} files, {len(self.way) - 1} changes of file\n  {' > '.join(self.way)}"


def fleet() -> Fleet:
    volume = Volume("vol-00000001", recovery_point=timedelta(hours=1))
    return Fleet(
        [Account(ACCOUNT, "one", ("us-east-1",), [Gateway("sgw-00000001", "us-east-1", volumes=[volume])])]
    )


async def scan() -> Inventory:
    async with Scanner(CONFIG) as scanning:
        return await scanning.scan()


def print_remedies(whole: Inventory, trace: Trace) -> None:
    """Follows a failure into the statistics, and where the summary prints it."""
    statistics = Statistics()
    statistics.add(TargetPlanned(ACCOUNT, None, "us-east-1"))
    trace.on = True
    for failure in whole.failures:
        statistics.add(FailureSeen(failure))
    trace.on = False
    for gateway in whole.gateways:
        statistics.add(GatewayEnded(gateway))
    for target in whole.targets:
        statistics.add(TargetEnded(target))
    statistics.add(ScanEnded(whole.scan, whole.coverage.calls))
    printed = summary._print_group

    def follow(*arguments: Any) -> Any:
        trace.on = True
        try:
            return printed(*arguments)
        finally:
            trace.on = False

    with mock.patch.object(summary, "_print_group", follow):
        summary.print_summary(statistics, Policy(), io.StringIO())


CONFIG = ScannerConfig.model_validate(
    {"scan": {"regions": ["us-east-1"], "list_volumes": "never"}, "retry": {"max_attempts": 1}}
)


def main() -> None:
    with background(fleet()) as emulator, mock.patch.dict(os.environ, emulator.environment()):
        trace = Trace(GatewayEnded)
        sys.setprofile(trace)
        asyncio.run(scan())
        sys.setprofile(None)
        print(trace.describe("an answer"))
        emulator.faults.add(Fault("access_denied", operation="ListVolumeRecoveryPoints"))
        trace = Trace(FailureSeen)
        sys.setprofile(trace)
        print_remedies(asyncio.run(scan()), trace)
        sys.setprofile(None)
        print(trace.describe("a refusal"))


if __name__ == "__main__":
    main()

"""What an inventory holds, in memory or in a file: all that outputs ask of one."""

from collections.abc import Iterable
from typing import Protocol

from scanner.inventory.records import Coverage, Failure, Gateway, LastKnown, ScanInfo, Target, Volume


class Contents(Protocol):
    """Records in the inventory's order, which may be iterated again and again."""

    @property
    def schema_version(self) -> str: ...
    @property
    def scan(self) -> ScanInfo: ...
    @property
    def coverage(self) -> Coverage: ...
    @property
    def targets(self) -> Iterable[Target]: ...
    @property
    def gateways(self) -> Iterable[Gateway]: ...
    @property
    def volumes(self) -> Iterable[Volume]: ...
    @property
    def failures(self) -> Iterable[Failure]: ...
    @property
    def last_known(self) -> Iterable[LastKnown]: ...

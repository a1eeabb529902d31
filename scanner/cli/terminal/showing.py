"""An inventory on the terminal: its summary, or the volumes that a reader asks for."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from heapq import nsmallest
from typing import Any

from scanner.cli.nearest import did_you_mean
from scanner.cli.terminal.summary import print_summary
from scanner.cli.terminal.volumes import print_volumes
from scanner.errors import ConfigError
from scanner.inventory.arns import id_of
from scanner.inventory.model import Inventory
from scanner.inventory.records import Gateway, VerdictStatus, Volume, as_json
from scanner.output.text import printable
from scanner.policy.rules import Policy
from scanner.summary.replay import statistics_of
from scanner.summary.verdicts import urgency

ORDERS: dict[str, Callable[[Volume], Any]] = {
    "urgency": urgency,
    "age": lambda volume: (-(volume.verdict.age_seconds or 0.0), volume.arn),
    "volume": lambda volume: volume.id,
    "account": lambda volume: (volume.account_id, volume.region, volume.arn),
}


@dataclass(frozen=True)
class Filter:
    """Which volumes are asked for; without any condition the summary is."""

    verdicts: tuple[VerdictStatus, ...] = ()
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    sort: str = "urgency"
    limit: int | None = None

    @property
    def asks(self) -> bool:
        return bool(self.verdicts or self.accounts or self.regions or self.gateways)

    def matches(self, volume: Volume, account_name: str | None, gateway: Gateway | None) -> bool:
        """Whether every kind of condition that there is holds."""
        arn = volume.gateway_arn
        return (
            (not self.verdicts or volume.verdict.status in self.verdicts)
            and _any(self.accounts, (volume.account_id, account_name))
            and _any(self.regions, (volume.region,))
            and _any(self.gateways, (arn, arn and id_of(arn), gateway.name if gateway else None))
        )


def verdicts_of(names: Iterable[str]) -> tuple[VerdictStatus, ...]:
    """The verdicts of these names; raises ConfigError for one that there is not."""
    known = [status.value for status in VerdictStatus]
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"choose from {', '.join(known)}"
            raise ConfigError(f"--verdict: there is no verdict {name!r}; {hint}")
    return tuple(VerdictStatus(name) for name in names)


def _any(globs: tuple[str, ...], values: Iterable[str | None]) -> bool:
    known = [value for value in values if value]
    return not globs or any(fnmatchcase(value, glob) for glob in globs for value in known)


def print_inventory(inventory: Inventory, wanted: Filter, output: str | None, policy: Policy) -> None:
    """Prints the summary, or the volumes that are asked for; as JSON with `output` "-".

    Raises ConfigError for another output, and for an order that there is not.
    """
    if output not in (None, "-"):
        raise ConfigError(f"-o {output}: show prints to standard output; write -o - for JSON")
    if wanted.sort not in ORDERS:
        raise ConfigError(f"--sort: {wanted.sort!r} is not known; choose from {', '.join(ORDERS)}")
    if output and not wanted.asks:
        sys.stdout.write(inventory.model_dump_json() + "\n")
        return
    if not wanted.asks:
        print_summary(statistics_of(inventory), policy, sys.stdout)
        return
    volumes = _found(inventory, wanted)
    if not volumes:
        sys.stderr.writelines(f"sgw-scanner: {printable(line)}\n" for line in _hints(inventory, wanted))
    if output:
        sys.stdout.write("[" + ",\n".join(as_json(volume).decode() for volume in volumes) + "]\n")
        return
    gateways = {gateway.arn: gateway for gateway in inventory.gateways}
    names = {target.account_id: target.account_name for target in inventory.targets}
    pairs = [(volume, gateways.get(volume.gateway_arn or "")) for volume in volumes]
    print_volumes(pairs, names, sys.stdout)


def _found(inventory: Inventory, wanted: Filter) -> list[Volume]:
    gateways = {gateway.arn: gateway for gateway in inventory.gateways}
    names = {target.account_id: target.account_name for target in inventory.targets}
    found = [
        volume
        for volume in inventory.volumes
        if wanted.matches(volume, names.get(volume.account_id), gateways.get(volume.gateway_arn or ""))
    ]
    order = ORDERS[wanted.sort]
    return sorted(found, key=order) if wanted.limit is None else nsmallest(wanted.limit, found, key=order)


def _hints(inventory: Inventory, wanted: Filter) -> Iterable[str]:
    """What a condition may have meant that nothing in the inventory meets."""
    accounts = {each for one in inventory.targets for each in (one.account_id, one.account_name) if each}
    gateways = {each for one in inventory.gateways for each in (one.id, one.name, one.arn) if each}
    for flag, names, known in (
        ("--account", wanted.accounts, accounts),
        ("--region", wanted.regions, {target.region for target in inventory.targets}),
        ("--gateway", wanted.gateways, gateways),
    ):
        for name in names:
            if not any(fnmatchcase(each, name) for each in known):
                yield f"{flag}: the inventory has no {name}{did_you_mean(name, known)}"

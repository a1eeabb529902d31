"""A scan through the real client against an embedded fleet."""

from datetime import timedelta
from typing import Any

import pytest

from scanner import Inventory, Scanner, ScannerConfig
from scanner.emulator import Account, Emulator, Fleet, Gateway, Role, Volume
from scanner.inventory.records import Failure

HUB = "111122223333"
PROD = "222233334444"
REGION = "us-east-1"
QUICK: dict[str, Any] = {"max_attempts": 2, "base_delay": "1ms", "max_delay": "2ms"}


def gateway(
    number: int, region: str = REGION, volumes: int = 1, *, kind: str = "CACHED", **more: Any
) -> Gateway:
    """A gateway whose volumes have points two hours old; its number is in its id and theirs."""
    made = [
        Volume(f"vol-{number:04X}{each:04X}", recovery_point=timedelta(hours=2)) for each in range(volumes)
    ]
    return Gateway(f"sgw-{number:08X}", region, f"gateway-{number}", kind, volumes=made, **more)


def fleet(*gateways: Gateway, **more: Any) -> Fleet:
    """A hub, which the base identity is of, and an account with these gateways and the role `scan`."""
    prod = Account(PROD, "prod", (REGION, "eu-west-1"), list(gateways), [Role("scan", trust=(HUB,))])
    return Fleet([Account(HUB, "hub", (REGION, "eu-west-1")), prod], **more)


def account(**more: Any) -> dict[str, Any]:
    return {"id": PROD, "role": "scan", **more}


def config(*accounts: dict[str, Any], **sections: Any) -> ScannerConfig:
    """A configuration with quick retries, for one Region where nothing else is said."""
    scan = {"regions": [REGION], **sections.pop("scan", {})}
    return ScannerConfig.model_validate({"scan": scan, "retry": QUICK, "accounts": accounts, **sections})


def environment(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leads the SDK to the emulator and to nothing of the machine's own."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in emulator.environment().items():
        monkeypatch.setenv(name, value)


async def scan(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, settings: ScannerConfig) -> Inventory:
    """One scan of an emulator that is running."""
    environment(emulator, monkeypatch)
    async with Scanner(settings) as scanner:
        return await scanner.scan()


def shown(failure: Failure) -> str:
    """What a user reads of a failure: the service's words, and what helps."""
    return f"{failure.message}; {failure.remedy}"


def calls(emulator: Emulator, operation: str, account_id: str | None = None) -> int:
    """How often the emulator was asked for an operation, by whichever account if none is named."""
    return sum(
        count
        for (_, asked, who, _), count in emulator.requests.items()
        if asked == operation and account_id in (None, who)
    )

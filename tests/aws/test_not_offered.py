"""A Region that does not offer Storage Gateway is skipped; one that is known to offer it fails all the same."""

import socket
from typing import Any

import pytest

from scanner import Inventory, Scanner
from scanner.emulator import Emulator, Fault
from scanner.inventory.records import FailureKind, SkipReason, TargetStatus

from .scans import PROD, account, config, environment, fleet

Patch = pytest.MonkeyPatch
NEW, KNOWN = "eu-south-9", "eu-west-1"
"""A Region that is too new for the SDK's data, and one of which they say that it offers the service."""


def judge(found: Inventory, region: str, kind: FailureKind) -> None:
    (target,) = found.targets
    if region == NEW:
        assert (target.status, target.reason) == (TargetStatus.SKIPPED, SkipReason.NOT_OFFERED)
        assert not found.failures
    else:
        assert (target.status, target.reason) == (TargetStatus.FAILED, None)
        assert [failure.kind for failure in found.failures] == [kind]


@pytest.mark.parametrize("region", [NEW, KNOWN])
@pytest.mark.parametrize("code", [socket.EAI_NONAME, socket.EAI_NODATA, socket.EAI_AGAIN])
async def test_a_region_whose_name_does_not_resolve_offers_nothing(
    monkeypatch: Patch, region: str, code: int
) -> None:
    """Where the name server itself fails, nothing is known."""
    resolve = socket.getaddrinfo

    def getaddrinfo(host: str, *options: Any, **more: Any) -> Any:
        if host == f"storagegateway.{region}.amazonaws.com":
            raise socket.gaierror(code, "no such name")
        return resolve(host, *options, **more)

    async with Emulator(fleet()) as emulator:
        environment(emulator, monkeypatch)
        monkeypatch.delenv("AWS_ENDPOINT_URL")
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", emulator.url)
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        async with Scanner(config(account(), scan={"regions": [region]})) as scanner:
            found = await scanner.scan()
    judge(found, KNOWN if code == socket.EAI_AGAIN else region, FailureKind.NETWORK)


@pytest.mark.parametrize("region", [NEW, KNOWN])
async def test_a_region_that_does_not_know_the_operation_offers_nothing(
    monkeypatch: Patch, region: str
) -> None:
    made = fleet(faults=[Fault("error", operation="ListGateways", code="UnknownOperationException")])
    for each in made.accounts:
        each.regions = (region,)
    async with Emulator(made) as emulator:
        environment(emulator, monkeypatch)
        async with Scanner(config(account(), scan={"regions": [region]})) as scanner:
            found = await scanner.scan()
    assert {target.account_id for target in found.targets} == {PROD}
    judge(found, region, FailureKind.INVALID_REQUEST)

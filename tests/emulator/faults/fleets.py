"""A small fleet with fault rules, and the error that a call gets from it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from scanner.emulator import Fault, Fleet


def fleet(*faults: Fault) -> Fleet:
    made = Fleet.generate(1, ["us-east-1"], gateways_per_target=3, types={"CACHED": 1}, volumes_per_gateway=2)
    for gateway in made.accounts[0].gateways:
        for volume in gateway.volumes:
            volume.recovery_point = "2026-11-23T08:00:00.000Z"
    made.faults = list(faults)
    return made


def error_of(api: Any, method: str = "list_gateways", **arguments: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as refused:
        getattr(api, method)(**arguments)
    response: Any = refused.value.response
    return dict(response)

"""An organization of four accounts, as the tests of several services need it."""

from __future__ import annotations

from typing import Any

from scanner.emulator import Account, Fleet, Organization, Role

HUB, PROD, TEST, DELEGATE = "111111111111", "222222222222", "333333333333", "444444444444"


def fleet() -> Fleet:
    accounts = [
        Account(HUB, "hub", email="hub@example.com"),
        Account(PROD, "prod", ["us-east-1", "mx-central-9"], ou="work/prod", roles=[Role("reader")]),
        Account(TEST, "test", ou="work/test", state="SUSPENDED"),
        Account(DELEGATE, "audit", ou="security", roles=[Role("reader")]),
    ]
    return Fleet(
        accounts,
        organization=Organization(units=["empty"], delegated=[DELEGATE], page_size=1),
        extra_regions=["mx-central-9"],
    )


def pages(api: Any, name: str, key: str, **arguments: Any) -> list[Any]:
    return [item for page in api.get_paginator(name).paginate(**arguments) for item in page[key]]

"""A small company's fleet, with what goes wrong in one."""

from __future__ import annotations

from .fleet import Fleet


def demo() -> Fleet:
    return Fleet.generate(accounts=5, regions=3)

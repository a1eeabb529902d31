"""Gives any test suite the fixture `sgw_emulator`: the embedded service with the demo fleet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from scanner.emulator import Emulator, Fleet

# Imported inside: whoever installs the package must not wait for it in every run of their own tests.


@pytest.fixture
def sgw_fleet() -> Fleet:
    """The fleet that `sgw_emulator` serves; override this fixture to serve your own."""
    from scanner.emulator import Fleet

    return Fleet.demo()


@pytest.fixture
def sgw_emulator(sgw_fleet: Fleet) -> Iterator[Emulator]:
    """A running emulator, for tests with or without an event loop of their own."""
    from scanner.emulator import background

    with background(sgw_fleet) as emulator:
        yield emulator

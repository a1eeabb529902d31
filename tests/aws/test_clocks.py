"""The services' clocks: each is believed, as long as it could be one."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from scanner import Scanner
from scanner.aws.clocks import Clocks
from scanner.emulator import Emulator, Fault
from scanner.inventory.records import FailureKind

from .scans import account, calls, config, environment, fleet, gateway

HERE, THERE = ("storagegateway", "us-east-1"), ("storagegateway", "eu-west-1")
NONE = timedelta()
SECOND = timedelta(seconds=1)
ABSURD = [timedelta(days=3651), timedelta(days=-3651), timedelta(days=365 * 7000)]


def off(by: timedelta) -> datetime:
    return datetime.now(UTC) + by


@pytest.mark.parametrize("by", [timedelta(hours=1), timedelta(days=-2), timedelta(days=3649)])
def test_an_endpoints_clock_is_taken_over_for_it_alone(by: timedelta) -> None:
    clocks = Clocks()
    assert clocks.correct(HERE, off(by), NONE)
    assert abs(clocks.now(HERE) - off(by)) < SECOND
    assert clocks.skew(THERE) == NONE
    assert not clocks.correct(HERE, off(by), clocks.skew(HERE))


@pytest.mark.parametrize("by", ABSURD)
def test_a_clock_that_is_ten_years_off_is_none(by: timedelta) -> None:
    """No call is repeated for it, and no later one is signed by it."""
    clocks = Clocks()
    assert not clocks.correct(HERE, off(by), NONE)
    assert clocks.skew(HERE) == NONE


@pytest.mark.parametrize("by", ABSURD)
def test_an_answer_of_another_century_is_dated_by_the_endpoints_known_clock(by: timedelta) -> None:
    clocks = Clocks()
    clocks.correct(HERE, off(timedelta(hours=1)), NONE)
    given = clocks.moment(HERE, format_datetime(off(by), usegmt=True))
    assert abs(given - off(timedelta(hours=1))) < SECOND


@pytest.mark.parametrize("date", [None, "", "soon"])
def test_an_answer_without_a_date_is_dated_by_the_endpoints_known_clock(date: str | None) -> None:
    assert abs(Clocks().moment(HERE, date) - datetime.now(UTC)) < SECOND


def test_an_answers_own_date_counts() -> None:
    date = off(timedelta(days=-100)).replace(microsecond=0)
    assert Clocks().moment(HERE, format_datetime(date, usegmt=True)) == date


@pytest.mark.parametrize("years", [7000, -200])
async def test_an_absurd_clock_costs_the_calls_that_it_refuses_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, years: int
) -> None:
    """The year 9999 left no room for what is reckoned from it, and ended the scan."""
    wrong = Fault("wrong_clock", operation="ListGateways", region="eu-west-1", seconds=years * 365.0 * 86400)
    async with Emulator(fleet(gateway(1), faults=[wrong])) as emulator:
        environment(emulator, monkeypatch)
        settings = config(account(), scan={"regions": ["us-east-1", "eu-west-1"]})
        async with Scanner(settings) as scanner:
            found = await scanner.scan()
        assert calls(emulator, "ListGateways") == 2
    assert [(each.region, each.kind) for each in found.failures] == [("eu-west-1", FailureKind.CREDENTIALS)]
    assert len(found.volumes) == 1

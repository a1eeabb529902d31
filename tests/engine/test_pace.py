"""How a target's pace is learnt: over simulated buckets in virtual time, then through whole scans."""

import random
from collections.abc import Callable
from functools import cache
from itertools import pairwise

import anyio
import pytest

from scanner.engine.calls.scheduler import Limits
from scanner.engine.pace import LONGEST_PAUSE, Pace
from scanner.engine.scan import Scan
from scanner.inventory.collect import Fold
from scanner.inventory.events import Event, TargetEnded
from scanner.inventory.records import TargetStatus
from scanner.service.errors import CallFailed
from scanner.service.protocol import TargetKey
from tests.virtual import run as run_virtually

from .bucket import Bucket, Free, Run, Unlimited, ideal, run
from .simulated import SimulatedSource, config, throttle

Ending = tuple[float, TargetEnded]


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def cases(count: int, seed: int) -> list[tuple[Bucket, dict[str, float]]]:
    """Buckets of 2 to 200 a second that hold 1 to 100 tokens, at latencies from 5 to 100 ms."""
    chance = random.Random(seed)
    return [
        (
            Bucket(2 * 100 ** chance.random(), round(100 ** chance.random())),
            {"latency": 0.005 * 20 ** chance.random(), "jitter": chance.choice([0.0, 0.1, 0.2])},
        )
        for _ in range(count)
    ]


def worked_off(bucket: Bucket, calls: int, road: dict[str, float], seed: int = 0) -> tuple[Run, float]:
    """The run, and how many times the ideal it took."""
    result = run(Pace(), bucket, calls=calls, seed=seed, **road)  # type: ignore[arg-type]
    return result, result.seconds / ideal(bucket, calls=calls, in_flight=8, **road)


@cache
def outcomes(calls: int, count: int) -> list[tuple[Run, float]]:
    """What becomes of `calls` calls on each of `count` different buckets."""
    return [
        worked_off(bucket, calls, road, seed) for seed, (bucket, road) in enumerate(cases(count, seed=calls))
    ]


@pytest.mark.parametrize(("calls", "count"), [(50, 200), (220, 100), (1000, 40)])
def test_no_call_is_lost_whatever_the_bucket(calls: int, count: int) -> None:
    """No call is throttled so often that its attempts run out, not even nearly."""
    assert max(result.most_throttled for result, _ in outcomes(calls, count)) <= 6
    assert not sum(result.lost for result, _ in outcomes(calls, count))


def test_a_thousand_calls_take_the_ideal_time_and_hardly_a_throttle() -> None:
    """Nine of ten buckets are within 1.10 times the ideal and 3 % throttled; half of them far within."""
    times = [times for _, times in outcomes(1000, 40)]
    shares = [result.throttled_share for result, _ in outcomes(1000, 40)]
    assert quantile(times, 0.5) <= 1.01
    assert quantile(times, 0.9) <= 1.10
    assert quantile(shares, 0.5) <= 0.02
    assert quantile(shares, 0.9) <= 0.03


def test_a_short_run_pays_a_few_throttles_for_what_it_learns() -> None:
    """220 calls are too few to earn back the first throttles: about nine of them, but hardly any time."""
    throttled = [float(result.throttled) for result, _ in outcomes(220, 100)]
    assert quantile([times for _, times in outcomes(220, 100)], 0.5) <= 1.05
    assert quantile(throttled, 0.5) <= 10
    assert quantile(throttled, 0.95) <= 20


@pytest.mark.parametrize("rate", [2, 20, 200])
@pytest.mark.parametrize("burst", [5, 20, 100])
def test_an_even_bucket_is_used_up_and_not_overrun(rate: float, burst: float) -> None:
    """Both yardsticks, without exception, where latencies do not vary."""
    result, times = worked_off(Bucket(rate, burst), 1000, {"latency": 0.02})
    assert times <= 1.1
    assert result.throttled_share <= 0.03


def test_a_bucket_of_one_token_is_met_with_a_margin() -> None:
    """Nothing forgives an early call there, and jitter makes some early: the pace stays below the rate."""
    pace = Pace()
    result = run(pace, Bucket(20, 1), calls=1000, latency=0.05, jitter=0.2)
    assert result.throttled_share <= 0.03
    assert pace.rate is not None
    assert 15 < pace.rate < 20


def test_the_rate_is_learnt_from_the_time_between_two_throttles() -> None:
    """After a few hundred calls it is known to within five percent."""
    for rate in (2.0, 20.0, 200.0):
        pace = Pace()
        run(pace, Bucket(rate, 20), calls=800)
        assert pace.measured == pytest.approx(rate, rel=0.05)


@pytest.mark.parametrize("factor", [0.25, 0.5, 2.0, 4.0])
def test_a_rate_that_changes_is_followed(factor: float) -> None:
    """Downwards at once, upwards after some eighty calls without a throttle; and never a call lost."""
    bucket, pace = Bucket(20, 20, change=(10.0, 20 * factor)), Pace()
    result = run(pace, bucket, calls=1200)
    assert result.lost == 0
    assert result.seconds <= 1.2 * ideal(bucket, calls=1200, in_flight=8, latency=0.02)
    assert result.throttled_share <= 0.03
    assert pace.measured == pytest.approx(20 * factor, rel=0.05)


def test_a_share_of_a_bucket_is_learnt_like_a_bucket() -> None:
    """Another client takes half of the tokens; the other half is used up."""
    bucket = Bucket(40, 20, other=20)
    result, times = worked_off(bucket, 1000, {"latency": 0.02})
    assert times <= 1.15
    assert result.throttled_share <= 0.05
    assert result.lost == 0


@pytest.mark.parametrize("latency", [0.001, 0.02, 0.15])
def test_a_target_without_limits_pays_three_round_trips_once(latency: float) -> None:
    """No rate is ever set; caution about the first 24 calls is all there is, however many follow."""
    for calls, extra in ((8, 0), (220, 3), (2000, 3)):
        pace = Pace()
        paced = run(pace, Unlimited(), calls=calls, latency=latency)
        free = run(Free(), Unlimited(), calls=calls, latency=latency)
        assert paced.seconds <= free.seconds + (extra + 0.01) * latency
        assert pace.rate is None


def test_more_calls_in_flight_than_eight_are_earned_by_answers() -> None:
    """A bucket that runs dry late throttles at most about an eighth of what it had admitted."""
    result = run(Pace(), Bucket(1, 400), calls=430, in_flight=64)
    throttled = [sent_at for sent_at, admitted in result.answers if not admitted]
    at_first = [sent_at for sent_at in throttled if sent_at < throttled[0] + 0.02]
    assert 8 < len(at_first) <= 400 / 8


def test_a_target_that_always_throttles_is_asked_ever_more_rarely() -> None:
    """Pauses grow to half a minute, and no further."""
    pace, starts = Pace(), [0.0]
    for _ in range(15):
        pace.sent(starts[-1])
        pace.throttled(starts[-1], starts[-1] + 0.02)
        ready = pace.ready_at(starts[-1] + 0.02)
        assert ready is not None
        starts.append(ready)
    pauses = [after - before for before, after in pairwise(starts)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == pytest.approx(LONGEST_PAUSE)


@pytest.mark.parametrize("retry_after", [0.5, 3.0])
def test_no_call_is_sent_before_the_time_that_a_throttle_asked_for(retry_after: float) -> None:
    """Retry-After holds for the first throttle and for every later one."""
    result = run(Pace(), Bucket(20, 20), calls=220, retry_after=retry_after)
    answered = [sent_at + 0.02 for sent_at, admitted in result.answers if not admitted]
    assert len(answered) > 1
    for at in answered:
        assert not [start for start in result.starts if at < start < at + retry_after - 1e-9]


def test_retry_after_outlasts_what_later_answers_say() -> None:
    """An answer under way that comes after it does not shorten the pause."""
    pace = Pace()
    for at in (0.0, 0.001, 0.002):
        pace.sent(at)
    pace.throttled(0.001, 0.02, retry_after=5.0)
    pace.admitted(0.0, 0.021)
    pace.admitted(0.002, 0.022)
    ready = pace.ready_at(0.03)
    assert ready is not None
    assert ready >= 5.02


def settled() -> tuple[Pace, float]:
    """A pace that knows its bucket of 20 a second, and the time by then."""
    pace = Pace()
    result = run(pace, Bucket(20, 20), calls=400)
    return pace, result.seconds


def test_throttles_of_calls_already_under_way_do_not_cut_twice() -> None:
    """What was sent before a throttle was known tells nothing new when it is throttled as well."""
    pace, now = settled()
    for number in range(4):
        pace.sent(now + number / 1000)
    pace.throttled(now, now + 0.02)
    once = pace.rate
    for number in (1, 2, 3):
        pace.throttled(now + number / 1000, now + 0.02 + number / 1000)
    assert pace.rate == once


def test_a_call_without_an_answer_teaches_nothing() -> None:
    """Connections that break neither slow the pace nor hold it up."""
    pace, now = settled()
    before = pace.rate, pace.measured
    pace.sent(now)
    pace.lost(now + 1)
    assert (pace.rate, pace.measured) == before
    fresh = Pace()
    fresh.sent(0.0)
    assert fresh.ready_at(0.1) is None
    fresh.lost(0.2)
    assert fresh.ready_at(0.2) == 0.2


def test_a_pace_waiting_for_answers_goes_on_when_the_last_one_is_lost() -> None:
    """After a throttle the answers under way are awaited; one that never comes must not block the target."""
    pace = Pace()
    pace.sent(0.0)
    pace.sent(0.001)
    pace.throttled(0.0, 0.02)
    assert pace.ready_at(0.03) is None
    pace.lost(0.04)
    assert pace.ready_at(0.05) is not None


# Through the engine: the same buckets behind whole scans.


def limited_by(buckets: Callable[[TargetKey], Bucket]) -> Callable[..., CallFailed | None]:
    """One bucket for each account and Region, shared by all operations that ask there."""
    known: dict[TargetKey, Bucket] = {}

    def fault(operation: str, place: TargetKey, gateway: str | None, nth: int) -> CallFailed | None:
        if operation in ("open", "regions"):
            return None
        bucket = known.setdefault(place, buckets(place))
        return None if bucket.take(anyio.current_time()) else throttle()

    return fault


def scanned(
    source: SimulatedSource, accounts: int = 1, **settings: object
) -> tuple[Fold, dict[str, float], float]:
    """What came of a scan in virtual time: the fold, when each account's target ended, seconds in all."""
    fold, ends = Fold(), {}

    async def emit(event: Event) -> None:
        fold.add(event)
        if isinstance(event, TargetEnded):
            ends[event.target.account_id] = anyio.current_time()

    async def main() -> None:
        asked = config(accounts, **settings)  # type: ignore[arg-type]
        slots = anyio.CapacityLimiter(asked.scan.max_concurrency)
        await Scan(asked, source, Limits(slots, asked.scan.max_concurrency_per_target), "0.1.0", emit).run()

    _, seconds = run_virtually(main())
    return fold, ends, seconds


@pytest.mark.parametrize("in_flight", [8, 64])
def test_a_scan_uses_up_a_bucket_that_listing_and_reading_share(in_flight: int) -> None:
    """A thousand calls on one target: all volumes, the ideal time, at most 3 % throttled."""
    source = SimulatedSource(gateways=990, volumes=1, fault=limited_by(lambda place: Bucket(20, 20)))
    fold, _, seconds = scanned(source, max_concurrency_per_target=in_flight)
    inventory = fold.inventory()
    calls = inventory.coverage.calls
    assert len(inventory.volumes) == 990
    assert not inventory.failures
    assert seconds <= 1.1 * (1000 - 20) / 20
    assert calls.throttled <= 0.03 * calls.attempted


def test_many_targets_at_once_each_take_their_own_time() -> None:
    """Thirty targets with buckets between 2 and 200 a second, all at once: each ends by its own ideal."""
    rates = {f"{number:012d}": 2 * 100 ** (number / 30) for number in range(1, 31)}
    source = SimulatedSource(
        gateways=99, volumes=1, fault=limited_by(lambda place: Bucket(rates[place.account_id], 10))
    )
    fold, ends, _ = scanned(source, accounts=30, max_concurrency=256)
    assert not fold.inventory().failures
    best = {
        account: ideal(Bucket(rate, 10), calls=100, in_flight=8, latency=0.05) + 0.05
        for account, rate in rates.items()
    }
    times = [ends[account] / best[account] for account in rates]
    assert quantile(times, 0.5) <= 1.15
    assert max(times) <= 2.0


def test_a_throttled_target_slows_no_other() -> None:
    """The others end when they would have ended without it."""

    def ends_with(rate: float) -> dict[str, float]:
        slow = "000000000003"
        source = SimulatedSource(
            gateways=30,
            fault=limited_by(lambda place: Bucket(rate, 1) if place.account_id == slow else Unlimited()),
        )
        fold, ends, _ = scanned(source, accounts=9)
        assert all(target.status is TargetStatus.COMPLETE for target in fold.inventory().targets)
        return {account: at for account, at in ends.items() if account != slow}

    assert ends_with(2) == pytest.approx(ends_with(1e9), abs=0.2)


@pytest.mark.parametrize(("accounts", "extra"), [(64, 0.0), (1, 0.1)])
def test_a_fleet_without_limits_pays_nothing(
    accounts: int, extra: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the scan's slots are the limit pacing costs no time at all; a lone target pays once."""

    class Unpaced(Free):
        def lost(self, now: float) -> None:
            raise AssertionError("nothing is lost here")

    source = SimulatedSource(gateways=39, volumes=1, latency=0.05)
    _, _, paced = scanned(source, accounts=accounts)
    monkeypatch.setattr("scanner.engine.calls.scheduler.Pace", Unpaced)
    _, _, free = scanned(source, accounts=accounts)
    assert paced <= free + extra + 1e-6

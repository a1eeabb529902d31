"""How the rate limiter learns: over simulated buckets in virtual time."""

import random
from functools import cache
from itertools import pairwise

import pytest

from scanner.engine.calls.rate_limiter import LONGEST_PAUSE, QUIET, RateLimiter
from tests.engine.bucket import Bucket, Free, Run, Unlimited, ideal, quantile, run


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
    result = run(RateLimiter(), bucket, calls=calls, seed=seed, **road)  # type: ignore[arg-type]
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
    """Nothing forgives an early call there, and jitter makes some early: the limiter stays below the rate."""
    limiter = RateLimiter()
    result = run(limiter, Bucket(20, 1), calls=1000, latency=0.05, jitter=0.2)
    assert result.throttled_share <= 0.03
    assert limiter.rate is not None
    assert 15 < limiter.rate < 20


def test_the_rate_is_learnt_from_the_time_between_two_throttles() -> None:
    """After a few hundred calls it is known to within five percent."""
    for rate in (2.0, 20.0, 200.0):
        limiter = RateLimiter()
        run(limiter, Bucket(rate, 20), calls=800)
        assert limiter.measured == pytest.approx(rate, rel=0.05)


@pytest.mark.parametrize("factor", [0.25, 0.5, 2.0, 4.0])
def test_a_rate_that_changes_is_followed(factor: float) -> None:
    """Downwards at once, upwards after some eighty calls without a throttle; and never a call lost."""
    bucket, limiter = Bucket(20, 20, change=(10.0, 20 * factor)), RateLimiter()
    result = run(limiter, bucket, calls=1200)
    assert result.lost == 0
    assert result.seconds <= 1.2 * ideal(bucket, calls=1200, in_flight=8, latency=0.02)
    assert result.throttled_share <= 0.03
    assert limiter.measured == pytest.approx(20 * factor, rel=0.05)


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
        limiter = RateLimiter()
        paced = run(limiter, Unlimited(), calls=calls, latency=latency)
        free = run(Free(), Unlimited(), calls=calls, latency=latency)
        assert paced.seconds <= free.seconds + (extra + 0.01) * latency
        assert limiter.rate is None


def test_more_calls_in_flight_than_eight_are_earned_by_answers() -> None:
    """A bucket that runs dry late throttles at most about an eighth of what it had admitted."""
    result = run(RateLimiter(), Bucket(1, 400), calls=430, in_flight=64)
    throttled = [sent_at for sent_at, admitted in result.answers if not admitted]
    at_first = [sent_at for sent_at in throttled if sent_at < throttled[0] + 0.02]
    assert 8 < len(at_first) <= 400 / 8


def test_a_target_that_always_throttles_is_asked_ever_more_rarely() -> None:
    """Pauses grow to five seconds, and no further."""
    limiter, starts = RateLimiter(), [0.0]
    for _ in range(15):
        limiter.sent(starts[-1])
        limiter.throttled(starts[-1], starts[-1] + 0.02)
        ready = limiter.ready_at(starts[-1] + 0.02)
        assert ready is not None
        starts.append(ready)
    pauses = [after - before for before, after in pairwise(starts)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == pytest.approx(LONGEST_PAUSE)


@pytest.mark.parametrize("retry_after", [0.5, 3.0])
def test_no_call_is_sent_before_the_time_that_a_throttle_asked_for(retry_after: float) -> None:
    """Retry-After holds for the first throttle and for every later one."""
    result = run(RateLimiter(), Bucket(20, 20), calls=220, retry_after=retry_after)
    answered = [sent_at + 0.02 for sent_at, admitted in result.answers if not admitted]
    assert len(answered) > 1
    for at in answered:
        assert not [start for start in result.starts if at < start < at + retry_after - 1e-9]


def test_retry_after_outlasts_what_later_answers_say() -> None:
    """An answer under way that comes after it does not shorten the pause."""
    limiter = RateLimiter()
    for at in (0.0, 0.001, 0.002):
        limiter.sent(at)
    limiter.throttled(0.001, 0.02, retry_after=5.0)
    limiter.admitted(0.0, 0.021)
    limiter.admitted(0.002, 0.022)
    ready = limiter.ready_at(0.03)
    assert ready is not None
    assert ready >= 5.02


def settled() -> tuple[RateLimiter, float]:
    """A limiter that knows its bucket of 20 a second, and the time by then."""
    limiter = RateLimiter()
    result = run(limiter, Bucket(20, 20), calls=400)
    return limiter, result.seconds


def test_throttles_of_calls_already_under_way_do_not_cut_twice() -> None:
    """What was sent before a throttle was known tells nothing new when it is throttled as well."""
    limiter, now = settled()
    for number in range(4):
        limiter.sent(now + number / 1000)
    limiter.throttled(now, now + 0.02)
    once = limiter.rate
    for number in (1, 2, 3):
        limiter.throttled(now + number / 1000, now + 0.02 + number / 1000)
    assert limiter.rate == once


def test_a_call_without_an_answer_teaches_nothing() -> None:
    """Connections that break neither slow the limiter nor hold it up."""
    limiter, now = settled()
    before = limiter.rate, limiter.measured
    limiter.sent(now)
    limiter.lost(now + 1)
    assert (limiter.rate, limiter.measured) == before
    fresh = RateLimiter()
    fresh.sent(0.0)
    assert fresh.ready_at(0.1) is None
    fresh.lost(0.2)
    assert fresh.ready_at(0.2) == 0.2


def test_a_limiter_waiting_for_answers_goes_on_when_the_last_one_is_lost() -> None:
    """After a throttle the answers under way are awaited; one that never comes must not block the target."""
    limiter = RateLimiter()
    limiter.sent(0.0)
    limiter.sent(0.001)
    limiter.throttled(0.0, 0.02)
    assert limiter.ready_at(0.03) is None
    limiter.lost(0.04)
    assert limiter.ready_at(0.05) is not None


# Limits that are lifted.

NEVER = 1e-9  # calls a second


def recovery(bucket: Bucket, calls: int = 1000) -> tuple[Run, float]:
    """The run, and the seconds from the bucket's last change until half of its last rate was asked again."""
    limiter, (turn, rate) = RateLimiter(), (bucket.then[-1] if bucket.then else bucket.change) or (0.0, 0.0)
    regained: list[float] = []

    def note(now: float) -> None:
        if now >= turn and not regained and (limiter.rate is None or limiter.rate >= rate / 2):
            regained.append(now - turn)

    result = run(limiter, bucket, calls=calls, latency=0.05, jitter=0.1, on_send=note)
    return result, regained[0]


def times(result: Run, bucket: Bucket, calls: int = 1000) -> float:
    return result.seconds / ideal(bucket, calls=calls, in_flight=8, latency=0.05, jitter=0.1)


@pytest.mark.parametrize("seconds", [1, 5, 20, 60, 300])
@pytest.mark.parametrize("rate", [NEVER, 0.02, 0.1, 0.5, 1])
def test_half_speed_is_regained_ten_seconds_after_a_limit_was_lifted(rate: float, seconds: float) -> None:
    """However low it was and however long it held; no call is lost meanwhile."""
    bucket = Bucket(rate, 5, change=(seconds, 50))
    result, regained = recovery(bucket)
    assert regained <= 10
    assert times(result, bucket) <= 1.3
    assert result.lost == 0


@pytest.mark.parametrize("rate", [2, 5, 10])
def test_a_limit_of_a_few_calls_a_second_is_tried_after_twenty_seconds(rate: float) -> None:
    """Sooner would be more throttles than 3 % of all calls while it holds."""
    bucket = Bucket(rate, 5, change=(60, 50))
    result, regained = recovery(bucket)
    assert regained <= 30
    assert times(result, bucket) <= 1.3
    assert result.lost == 0


def test_a_limit_lowered_and_lifted_again_and_again_is_followed_each_time() -> None:
    """What was learnt from one low limit does not outlive it."""
    bucket = Bucket(50, 5, change=(10, NEVER), then=((40, 50), (50, 0.1), (110, 50), (120, 1), (180, 50)))
    result, regained = recovery(bucket, calls=2500)
    assert regained <= 10
    assert times(result, bucket, calls=2500) <= 1.2
    assert result.lost == 0


def test_random_lifted_limits_are_followed() -> None:
    """Low limits of every kind that hold for 3 to 300 seconds."""
    chance = random.Random(1)
    for _ in range(60):
        bucket = Bucket(
            1e-3 * 500 ** chance.random(),
            round(30 ** chance.random()),
            change=(3 * 100 ** chance.random(), 5 * 40 ** chance.random()),
        )
        result, regained = recovery(bucket, calls=600)
        assert regained <= 10
        assert result.lost == 0


def test_a_target_that_admits_next_to_nothing_is_not_hammered() -> None:
    """A call each five seconds, and a second one after each that was admitted."""
    result = run(RateLimiter(), Bucket(0.02, 5), calls=100, until=3000)
    assert result.sent <= 3000 / LONGEST_PAUSE + 3000 * 0.02 + 30


@pytest.mark.parametrize(("rate", "share"), [(0.5, 0.25), (1, 0.12), (2, 0.03), (5, 0.02), (20, 0.02)])
def test_a_steady_limit_throttles_only_the_calls_that_look_for_a_higher_one(
    rate: float, share: float
) -> None:
    result, took = worked_off(Bucket(rate, 20), 1000, {"latency": 0.02})
    assert result.throttled_share <= share
    assert took <= 1.03


def test_the_margin_narrows_again_when_throttles_no_longer_come_early() -> None:
    """A bucket of one token forgives no jitter, which widens it; without jitter the speed comes back."""
    limiter = RateLimiter()
    run(limiter, Bucket(20, 1), calls=500, latency=0.05, jitter=0.2)
    assert limiter.rate is not None
    assert limiter.rate < 0.975 * limiter.measured
    run(limiter, Bucket(20, 1), calls=1500, latency=0.05, start=100)
    assert limiter.measured == pytest.approx(20, rel=0.05)
    assert limiter.rate > 0.985 * limiter.measured


def test_the_pause_that_a_target_asked_for_leaves_no_trace() -> None:
    """However long it was; the target is asked at its full speed afterwards."""

    def seconds_after(pause: float) -> float:
        limiter, now = settled()
        limiter.sent(now)
        limiter.throttled(now, now + 0.02, retry_after=pause)
        assert limiter.ready_at(now + 0.02) == pytest.approx(now + 0.02 + pause, abs=0.1)
        return run(limiter, Bucket(20, 20), calls=400, start=now + 0.02 + pause).seconds

    assert seconds_after(300) <= seconds_after(0.1)


# Between scans.


@pytest.mark.parametrize(("rate", "seconds"), [(0.05, 120), (0.1, 600), (0.2, 300), (0.5, 300), (1, 600)])
def test_scans_long_after_a_limit_was_lifted_are_not_slow(rate: float, seconds: float) -> None:
    """A small target, scanned once a minute by a long-lived Scanner."""
    limiter, bucket, now, slow = RateLimiter(), Bucket(rate, 2, change=(seconds, 50)), 0.0, 0
    for number in range(int(seconds / 60) + 20):
        start = max(now, 60.0 * number)
        took = run(limiter, bucket, calls=4, latency=0.05, start=start).seconds
        slow += start >= seconds and took > 2
        now = start + took
    assert slow <= 1


def test_what_was_learnt_is_forgotten_after_a_quiet_time() -> None:
    """The next call of a target that nobody asked for minutes starts as the very first one did."""
    limiter, now = settled()
    assert limiter.rate is not None
    limiter.sent(now)
    limiter.admitted(now, now + 0.02)
    limiter.sent(now + 0.9 * QUIET)
    assert limiter.rate is not None
    limiter.admitted(now + 0.9 * QUIET, now + 0.9 * QUIET + 0.02)
    later = now + 2 * QUIET
    assert limiter.ready_at(later) == later
    limiter.sent(later)
    assert limiter.rate is None
    assert limiter.ready_at(later) is None
    limiter.admitted(later, later + 0.02)
    assert limiter.ready_at(later + 0.02) == later + 0.02


def test_a_call_under_way_is_no_quiet_time() -> None:
    """An answer that takes for ever is still one of the calls in flight."""
    limiter, now = settled()
    limiter.sent(now)
    limiter.sent(now + 2 * QUIET)
    assert limiter.rate is not None


# Attempts.


def test_it_is_known_whether_a_target_refuses_everything() -> None:
    """From a throttle on, until it admits a call."""
    limiter = RateLimiter()
    for at in (0.0, 1.0):
        limiter.sent(at)
        limiter.throttled(at, at + 0.02)
        assert limiter.refuses
    limiter.sent(2.0)
    limiter.admitted(2.0, 2.02)
    assert not limiter.refuses

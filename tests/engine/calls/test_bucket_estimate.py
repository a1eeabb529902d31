"""Which refill rates the answers of a simulated bucket allow."""

import pytest

from scanner.engine.calls.bucket_estimate import BucketEstimate
from tests.engine.bucket import Bucket


def asked(bucket: Bucket, gaps: list[float]) -> BucketEstimate:
    """What is known after calls with these gaps: until the first throttle, then measured from it on."""
    estimate, now, known = BucketEstimate(), 0.0, False
    for gap in gaps:
        now += gap
        throttled = not bucket.take(now)
        if known:
            estimate.add(now, throttled=throttled)
        else:
            estimate.before(now, throttled=throttled)
            known = throttled
    return estimate


@pytest.mark.parametrize("rate", [0.5, 2.0, 20.0, 200.0])
@pytest.mark.parametrize("burst", [1, 5, 20])
def test_the_true_rate_lies_within_the_bracket_and_the_bracket_is_narrow(rate: float, burst: float) -> None:
    estimate = asked(Bucket(rate, burst), [0.001 / rate] * 30 + [0.8 / rate] * 30)
    lowest, highest = estimate.bracket()
    assert lowest <= 1.01 * rate
    assert highest >= 0.99 * rate
    assert highest <= 1.2 * lowest or burst == 1


def test_without_an_answer_every_rate_is_possible() -> None:
    assert BucketEstimate().bracket() == (0.0, float("inf"))


def test_nothing_admitted_bounds_the_rate_only_from_above() -> None:
    estimate = asked(Bucket(1e-9, 1), [0.0, 0.1, 1.0, 1.0])
    lowest, highest = estimate.bracket()
    assert lowest == 0.0
    assert highest == pytest.approx(0.5, rel=0.1)


def test_answers_from_before_a_raised_limit_are_dropped() -> None:
    """Half a minute in which nothing was admitted says nothing of the fifty a second that come afterwards."""
    estimate = BucketEstimate()
    for at in range(6):
        estimate.before(1e-4 * at, throttled=at == 5)
    for at in range(1, 7):
        estimate.add(5.0 * at, throttled=True)
    bucket, after, throttled = Bucket(50, 5), 0.0, False
    bucket.level = 0
    while not throttled:
        after += 1 / 45 if after < 1 else 1 / 70
        throttled = not bucket.take(after)
        estimate.add(30.0 + after, throttled=throttled)
    lowest, highest = estimate.bracket()
    assert 40 <= lowest <= 50 <= highest <= 60
    assert estimate.empty_at == 30.0


def test_a_call_sent_before_the_bucket_was_empty_is_no_news() -> None:
    estimate = asked(Bucket(1, 1), [0.0, 0.1])
    assert not estimate.add(0.05, throttled=False)
    assert estimate.admitted == 0
    assert estimate.add(1.2, throttled=False)
    assert estimate.admitted == 1

from __future__ import annotations

import pytest

from scanner.engine.pace import Pace

from .bucket import Bucket, Free, Unlimited, ideal, run


@pytest.mark.parametrize("in_flight", [8])
@pytest.mark.parametrize("latency", [0.001, 0.02, 0.15])
def test_a_target_without_limits_pays_nothing(in_flight: int, latency: float) -> None:
    """Without throttles the calls take as long as slow start and the calls in flight make them take."""
    paced = run(Pace(), Unlimited(), in_flight=in_flight, latency=latency)
    free = run(Free(), Unlimited(), in_flight=in_flight, latency=latency)
    assert paced.seconds == pytest.approx(free.seconds)


@pytest.mark.parametrize("rate", [2, 20, 200])
@pytest.mark.parametrize("burst", [5, 20, 100])
def test_a_bucket_is_used_up_and_not_overrun(rate: float, burst: float) -> None:
    """Near the ideal time, hardly throttled, nothing lost."""
    bucket = Bucket(rate, burst)
    best = ideal(bucket, calls=1000, in_flight=8, latency=0.02)
    result = run(Pace(), bucket, calls=1000)
    assert result.seconds <= 1.1 * best
    assert result.throttled_share <= 0.04
    assert result.lost == 0


def test_a_target_that_always_throttles_is_asked_ever_more_rarely() -> None:
    """Pauses grow to seconds."""
    bucket = Bucket(1e-9, 1)
    bucket.level = 0.0
    result = run(Pace(), bucket, calls=50, until=600)
    pauses = [after - before for before, after in zip(result.starts, result.starts[1:], strict=False)]
    assert pauses == sorted(pauses)
    assert pauses[-1] > 5

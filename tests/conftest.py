"""What holds for all tests."""

import os

from hypothesis import HealthCheck, settings

# How long an example takes says something of the machine, not of the promise. Where a change is judged, the
# examples are the same each time: a new one must not fail a change that has nothing to do with it.
settings.register_profile(
    "promises",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.load_profile("promises")

"""When the service says that an answer was given, by its own clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scanner.aws.clients import _date


@pytest.mark.parametrize(
    "text",
    ["Tue, 24 Nov 2026 07:00:00 GMT", "Tue, 24 Nov 2026 07:00:00 -0000", "Tue, 24 Nov 2026 09:00:00 +0200"],
)
def test_the_moment_of_an_answer_is_the_services_in_utc(text: str) -> None:
    found = _date({"HTTPHeaders": {"date": text}})
    assert found == datetime(2026, 11, 24, 7, tzinfo=UTC)
    assert found.utcoffset() == timedelta()


UNREADABLE = ("", "now", "Tue, 99 Nov 2026", "Fri, 31 Dec 9999 23:59:59 -0100")


@pytest.mark.parametrize(
    "metadata",
    [{}, {"HTTPHeaders": {}}, *({"HTTPHeaders": {"date": text}} for text in UNREADABLE)],
)
def test_without_a_date_that_can_be_read_the_local_clock_stands_in(metadata: dict[str, Any]) -> None:
    assert abs(_date(metadata) - datetime.now(UTC)) < timedelta(minutes=1)

"""Volumes on terminals of any width: what names a thing is never cut."""

import io

import pytest

from scanner.cli.terminal.volumes import print_volumes
from scanner.inventory.records import Verdict, VerdictStatus
from tests.cli.terminal.test_summary import Terminal
from tests.output.fleet import inventory, judged

WHOLE = inventory(whole=False)


def printed(monkeypatch: pytest.MonkeyPatch, width: int) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "dumb")
    stream: io.StringIO = Terminal()
    gateways = {gateway.arn: gateway for gateway in WHOLE.gateways}
    pairs = [(volume, gateways.get(volume.gateway_arn or "")) for volume in WHOLE.volumes]
    print_volumes(pairs, {"000000000001": "production-databases-of-the-north"}, stream)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("width", [200, 120, 80, 60, 40])
def test_no_line_is_too_long_and_no_id_and_no_region_is_cut(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    lines = printed(monkeypatch, width)
    assert max(map(len, lines)) <= width
    words = {word.strip(",") for line in lines for word in line.split()}
    for volume in WHOLE.volumes:
        assert volume.id in words
        assert volume.region in words


def test_a_wide_terminal_has_a_table_and_a_narrow_one_two_lines_for_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert len(printed(monkeypatch, 120)) == len(WHOLE.volumes) + 1
    narrow = printed(monkeypatch, 72)
    assert len(narrow) == 2 * len(WHOLE.volumes)
    assert narrow[1].startswith("  on gateway 0 in production-databases-of-the-north, ")


def test_an_age_just_over_its_rpo_does_not_read_like_the_rpo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    stream: io.StringIO = Terminal()
    just_over = Verdict(status=VerdictStatus.BREACH, age_seconds=86400.4, rpo_seconds=86400)
    (only,) = judged(just_over).volumes
    print_volumes([(only, None)], {}, stream)
    assert "over 1d of 1d" in stream.getvalue()

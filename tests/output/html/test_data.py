"""The data that the page's script works with: every volume, and where it belongs."""

import re

from scanner.inventory.model import Inventory
from scanner.inventory.records import Verdict, VerdictStatus
from tests.output.fleet import inventory, written
from tests.output.html import fleets
from tests.output.html.fleets import OK, gateways_of, unreachable, with_detached
from tests.output.page import Page


def data_of(of: Inventory) -> dict[str, object]:
    return dict(Page(written(of, ".html")).data)


def test_the_data_holds_every_volume() -> None:
    """Columns of one length, that lead back to each volume's gateway, account and Region."""
    of = inventory(2, 5, whole=False)
    data = Page(written(of, ".html")).data
    columns = data["columns"]
    assert {len(column) for column in columns.values()} == {len(of.volumes)}
    for row, volume in enumerate(of.volumes):
        gateway = data["gateways"][columns["gateway"][row]]
        assert volume.id == f"vol-{columns['id'][row]}"
        assert (volume.gateway_arn or "").endswith(gateway[0])
        assert data["accounts"][gateway[2]] == [volume.account_id, "prod", "Root/Workloads/Prod"]
        assert data["regions"][gateway[3]] == volume.region
        assert data["statuses"][columns["status"][row]] == volume.verdict.status
        assert columns["used"][row] == (volume.usage_bytes and volume.usage_bytes // 2**20)
    assert data["arns"] == {}
    assert sorted(read for *_, read in data["targets"]) == [0, 0, 1]


def test_an_arn_that_does_not_follow_from_its_gateway_is_kept() -> None:
    """As that of a detached volume, which has none."""
    of = with_detached(gateways_of([OK]))
    data = Page(written(of, ".html")).data
    (row,) = (number for number, volume in enumerate(of.volumes) if volume.gateway_arn is None)
    assert data["arns"] == {str(row): of.volumes[row].arn}
    assert data["gateways"][data["columns"]["gateway"][row]][0] is None
    assert data["attached"] == ["DETACHED"]


def test_what_only_earlier_scans_know_is_there_and_is_not_taken_for_read() -> None:
    """A volume of a target that was not read has a row of its own, with a status of its own."""
    of = unreachable(carried=3)
    data = Page(written(of, ".html")).data
    columns = data["columns"]
    assert len(columns["id"]) == len(of.volumes) + 2
    assert data["carried"] == 2
    carried = [row for row, most in enumerate(columns["most"]) if most is not None]
    assert [data["statuses"][columns["status"][row]] for row in carried] == [
        "unknown",
        "not_read",
        "not_read",
    ]
    assert [columns["age"][row] for row in carried] == [None] * 3
    assert [columns["most"][row] for row in carried] == [7200] * 3


def test_a_page_without_an_observation_time_can_be_written() -> None:
    """Not known is not an error, in any column."""
    base = inventory(1, 1)
    blank = base.volumes[0].model_copy(
        update={"size_bytes": None, "usage_bytes": None, "verdict": Verdict(status=VerdictStatus.UNRATED)}
    )
    bare = base.gateways[0].model_copy(update={"observed_at": None, "name": None})
    of = base.model_copy(update={"volumes": (blank,), "gateways": (bare, *base.gateways[1:])})
    columns = Page(written(of, ".html")).data["columns"]
    assert {name for name, column in columns.items() if column[0] is None} == {
        "size", "used", "age", "rpo", "rule", "waived", "attached", "tags", "point", "most", "within",
        "since",
    }  # fmt: skip


def test_tags_stand_once_for_all_volumes_that_share_them() -> None:
    of = gateways_of([OK] * 3)
    tagged = tuple(volume.model_copy(update={"tags": {"team": "a", "env": "b"}}) for volume in of.volumes)
    data = Page(written(of.model_copy(update={"volumes": tagged}), ".html")).data
    assert data["tags"] == [[["env", "b"], ["team", "a"]]]
    assert data["columns"]["tags"] == [0, 0, 0]


def test_the_data_is_safe_in_markup() -> None:
    """Whatever it holds: packed, it has none of the letters that mean something to HTML."""
    packed = Page(written(fleets.unreachable(), ".html")).scripts["data"]
    assert re.fullmatch(r"[A-Za-z0-9+/=]+", packed)

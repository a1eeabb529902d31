"""The worst by gateway: which are shown, and that no verdict hides another."""

from scanner.inventory.records import VerdictStatus
from scanner.output.html.worst import (
    MOST_GATEWAYS,
    MOST_OF_GATEWAY,
    MOST_VOLUMES,
    mixed,
    worst_gateways,
    worst_volumes,
)
from tests.output.fleet import judged
from tests.output.html.fleets import (
    AT_RISK,
    BREACH,
    NONE,
    OK,
    UNKNOWN,
    UNRATED,
    excused,
    gateways_of,
    with_detached,
)
from tests.output.html.test_facts import text_of


def test_fifty_without_a_point_do_not_hide_the_breaches() -> None:
    """Each verdict has its share of the gateways, of a gateway's volumes, and of the volumes."""
    of = gateways_of(*[[NONE, OK]] * 60, *[[BREACH, OK]] * 60, *[[AT_RISK]] * 60, *[[UNKNOWN]] * 60)
    groups, worrying = worst_gateways(of)
    assert worrying == 240
    assert len(groups) == MOST_GATEWAYS
    worst = {VerdictStatus(group.cell.states[0][0]) for group in groups}
    expected = {
        VerdictStatus.BREACH,
        VerdictStatus.NO_RECOVERY_POINT,
        VerdictStatus.AT_RISK,
        VerdictStatus.UNKNOWN,
    }
    assert worst == expected
    volumes = worst_volumes(of)
    assert len(volumes) == MOST_VOLUMES
    assert {volume.verdict.status for volume in volumes} == expected
    one = gateways_of([NONE] * 60 + [BREACH])
    assert {volume.verdict.status for volume in mixed(one.volumes, MOST_OF_GATEWAY)} == {
        VerdictStatus.BREACH,
        VerdictStatus.NO_RECOVERY_POINT,
    }


def test_the_gateway_with_the_most_that_need_action_stands_first() -> None:
    """What is left of the places goes to whoever needs them."""
    groups, _ = worst_gateways(gateways_of([BREACH], [BREACH, NONE, BREACH, OK], [AT_RISK]))
    assert [group.cell.breaches for group in groups] == [3, 1, 0]
    assert [volume.verdict.status for volume in groups[0].worst] == [
        VerdictStatus.NO_RECOVERY_POINT,
        VerdictStatus.BREACH,
        VerdictStatus.BREACH,
    ]


def test_what_is_well_or_waived_needs_no_look() -> None:
    assert worst_gateways(gateways_of([OK, UNRATED], [excused(BREACH)])) == ([], 0)
    assert "No volume is worth a look." in text_of(judged(OK))


def test_detached_volumes_stand_for_themselves() -> None:
    """In a group that says that no gateway holds them."""
    groups, _ = worst_gateways(with_detached(gateways_of([OK]), 2))
    assert [(group.arn, group.cell.volumes) for group in groups] == [(None, 2)]
    said = text_of(with_detached(gateways_of([OK]), 2))
    assert "no gateway 000000000001 us-east-1" in said
    assert "? unknown vol-0000000D detached" in said

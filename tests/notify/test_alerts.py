"""Alerts speak of change: each is told once, again while it is open, and is over once it was seen to be well."""

from datetime import timedelta

from scanner.history.changes import diff
from scanner.inventory.model import Inventory
from scanner.inventory.records import GatewayStatus, TargetStatus
from scanner.notify.alerts import AlertKind, Digest, Told, digest
from tests.history.scans import DAY, HOUR, ONE, REGION, START, TWO, Seen, scan

LATE = Seen(ages={1: 30 * HOUR})
UNREAD = Seen(status=TargetStatus.PARTIAL, gateway=GatewayStatus.FAILED)
DOWN = Seen(status=TargetStatus.FAILED)


class Address:
    """Is told of one scan after another."""

    def __init__(self, **options: object) -> None:
        self.options = options
        self.told: Told | None = None
        self.scans: dict[str, Inventory] = {}

    def hears(self, inventory: Inventory, *, delivered: bool = True, narrowed: bool = False) -> Digest:
        changes = diff(self.scans[self.told.baseline], inventory, new_narrowed=narrowed) if self.told else ()
        found = digest(inventory, changes, self.told, narrowed=narrowed, **self.options)  # type: ignore[arg-type]
        self.scans[inventory.scan.id] = inventory
        if delivered:
            self.told = found.told
        return found


def kinds(alerts: object) -> list[str]:
    return [alert.kind.value for alert in alerts]  # type: ignore[attr-defined]


def test_the_first_scan_is_one_summary_even_where_all_is_well() -> None:
    found = Address().hears(scan(0))
    assert found
    assert (found.first, found.opened) == (True, ())


def stuck(day: float) -> Seen:
    """A volume whose point does not advance: in breach from 42 hours after the start."""
    return Seen(ages={1: day * DAY - 18 * HOUR})


def test_what_goes_on_is_not_told_again_until_it_is_due() -> None:
    address = Address(repeat=timedelta(hours=24))
    address.hears(scan(1, [stuck(1)]))
    assert kinds(address.hears(scan(2, [stuck(2)])).opened) == ["breach"]
    assert not address.hears(scan(2.5, [stuck(2.5)]))
    assert kinds(address.hears(scan(3.1, [stuck(3.1)])).repeated) == ["breach"]
    assert not address.hears(scan(3.2, [stuck(3.2)]))


def test_only_what_was_seen_to_be_well_closes_an_alert() -> None:
    address = Address(confirm=9)
    address.hears(scan(1, [stuck(1), Seen(TWO)]))
    address.hears(scan(2, [stuck(2), Seen(TWO)]))
    assert not address.hears(scan(2.1, [UNREAD, Seen(TWO)]))
    assert not address.hears(scan(2.2, [DOWN, Seen(TWO)]))
    assert kinds(address.hears(scan(2.3, [Seen(ONE), Seen(TWO)])).closed) == ["breach"]


def test_what_was_not_delivered_is_told_with_the_next_scan() -> None:
    address = Address()
    address.hears(scan(1, [stuck(1)]))
    address.hears(scan(2, [stuck(2)]), delivered=False)
    assert kinds(address.hears(scan(2.1, [stuck(2.1)])).opened) == ["breach"]


def test_a_target_is_lost_after_failing_so_many_scans_in_a_row() -> None:
    address = Address(confirm=2)
    address.hears(scan(0, [Seen(ONE), Seen(TWO)]))
    assert not address.hears(scan(0.1, [DOWN, Seen(TWO)]))
    found = address.hears(scan(0.2, [DOWN, Seen(TWO)]))
    assert [(alert.kind, alert.subject) for alert in found.opened] == [
        (AlertKind.COVERAGE_LOST, f"{ONE}/{REGION}")
    ]
    assert kinds(address.hears(scan(0.3, [Seen(ONE), Seen(TWO)])).closed) == ["coverage_lost"]


def test_a_gateway_that_stays_dark_is_told_like_a_lost_target() -> None:
    """Its volumes are unknown, so nothing else would ever say that nobody looks at them."""
    address = Address(confirm=2)
    address.hears(scan(0, [Seen(ONE), Seen(TWO)]))
    assert not address.hears(scan(0.1, [UNREAD, Seen(TWO)]))
    (alert,) = address.hears(scan(0.2, [UNREAD, Seen(TWO)])).opened
    assert alert.kind is AlertKind.COVERAGE_LOST
    assert alert.subject.startswith(f"arn:aws:storagegateway:{REGION}:{ONE}:gateway/")
    assert not address.hears(scan(0.3, [DOWN, Seen(TWO)]))
    assert kinds(address.hears(scan(0.4, [Seen(ONE), Seen(TWO)])).closed) == ["coverage_lost"]
    assert address.told
    assert address.told.failing == {}


def test_a_gateway_that_a_waiver_excuses_is_not_lost() -> None:
    def excused(day: float) -> Inventory:
        dark = scan(day, [UNREAD, Seen(TWO)])
        waived = tuple(each.model_copy(update={"waived": "moved"}) for each in dark.failures)
        return dark.model_copy(update={"failures": waived})

    address = Address(confirm=1)
    address.hears(excused(0))
    assert not address.hears(excused(0.1))
    dark = address.hears(scan(0.2, [UNREAD, Seen(TWO)]))
    assert kinds(dark.opened) == ["coverage_lost"]
    assert kinds(address.hears(excused(0.3)).closed) == ["coverage_lost"]


def test_after_an_outage_of_everything_nothing_is_said_to_have_left() -> None:
    """Where not even the accounts were known, one target stands for all of them."""
    address = Address()
    address.hears(scan(0, [Seen(ONE), Seen(TWO)]))
    down = scan(0.1, [DOWN])
    nobody = tuple(each.model_copy(update={"account_id": "*", "region": "*"}) for each in down.targets)
    address.hears(down.model_copy(update={"targets": nobody}))
    found = address.hears(scan(0.2, [Seen(ONE), Seen(TWO)]))
    assert (found.opened, kinds(found.closed)) == ((), ["scan_failed"])


def test_an_account_whose_regions_were_not_known_is_well_once_one_of_them_is_read() -> None:
    address = Address(confirm=1)
    address.hears(scan(0, [Seen(ONE), Seen(TWO)]))
    down = scan(0.1, [DOWN, Seen(TWO)])
    nowhere = tuple(
        each.model_copy(update={"region": "*"}) if each.account_id == ONE else each for each in down.targets
    )
    found = address.hears(down.model_copy(update={"targets": nowhere}))
    assert [alert.subject for alert in found.opened] == [f"{ONE}/*"]
    assert kinds(address.hears(scan(0.2, [Seen(ONE), Seen(TWO)])).closed) == ["coverage_lost"]


def test_an_account_that_left_is_told_once_and_not_for_each_of_its_volumes() -> None:
    for left in ([Seen(ONE)], [Seen(ONE), Seen(TWO, status=TargetStatus.SKIPPED)]):
        address = Address()
        address.hears(scan(0, [Seen(ONE), Seen(TWO, ages=dict.fromkeys(range(1, 9), HOUR))]))
        found = address.hears(scan(0.1, left))
        assert [(alert.kind.value, alert.subject) for alert in found.opened] == [
            ("left_scope", f"{TWO}/{REGION}")
        ]


def test_a_scan_that_read_nothing_is_told_at_once() -> None:
    address = Address()
    address.hears(scan(0))
    assert kinds(address.hears(scan(0.1, [DOWN])).opened) == ["scan_failed"]
    assert kinds(address.hears(scan(0.2)).closed) == ["scan_failed"]


def test_what_vanished_went_backwards_or_left_the_scope_is_told_once() -> None:
    address = Address()
    address.hears(scan(0, [Seen(ages={1: HOUR, 2: HOUR}), Seen(TWO)]))
    found = address.hears(scan(0.1, [Seen(ages={1: 20 * HOUR})]))
    assert sorted(set(kinds(found.opened))) == ["backwards", "left_scope", "vanished"]
    assert not address.hears(scan(0.2, [Seen(ages={1: 20 * HOUR})]))


def test_a_volume_that_vanished_or_left_is_in_breach_no_more() -> None:
    for gone in (Seen(ages={}), None):
        address = Address(kinds=frozenset({AlertKind.BREACH}))
        address.hears(scan(0, [Seen(TWO), LATE]))
        found = address.hears(scan(0.1, [Seen(TWO), *([gone] if gone else [])]))
        assert (found.opened, kinds(found.closed)) == ((), ["breach"])


def test_a_narrowed_scan_closes_nothing_that_it_did_not_ask() -> None:
    address = Address()
    address.hears(scan(0, [LATE, Seen(TWO)]))
    assert not address.hears(scan(0.1, [Seen(TWO)]), narrowed=True)
    found = address.hears(scan(0.2, [LATE]))
    assert set(kinds(found.opened)) == {"left_scope"}


def test_a_waived_breach_is_none() -> None:
    found = Address().hears(scan(0, [Seen(ages={1: 30 * HOUR}, waived="ticket")]))
    assert found.opened == ()


def test_the_worst_account_comes_first_and_a_breach_tells_since_when() -> None:
    found = Address().hears(scan(0, [LATE, Seen(TWO, ages={1: None})]))
    assert [alert.account_id for alert in found.opened] == [TWO, ONE]
    assert found.opened[1].since == START - 6 * HOUR


def test_another_kinds_wish_is_heeded() -> None:
    address = Address(kinds=frozenset({AlertKind.VANISHED}))
    assert address.hears(scan(0, [LATE])).opened == ()

"""What was not read shows what was last known of it, as what it is: no table and no metric makes it well."""

import csv
import io

from prometheus_client.parser import text_string_to_metric_families

from scanner.inventory.model import Inventory
from scanner.inventory.records import GatewayStatus, TargetStatus, VerdictStatus
from tests.history.scans import HOUR, ONE, TWO, Seen, scan
from tests.output.fleet import last_known, written

LATE = Seen(ages={1: 30 * HOUR, 2: None, 3: HOUR})
DOWN = Seen(status=TargetStatus.FAILED)
UNREACHABLE = Seen(ages=LATE.ages, status=TargetStatus.PARTIAL, gateway=GatewayStatus.FAILED)


def carried(seen: Seen) -> Inventory:
    """A scan that could not read `LATE`, of which the one before knew all."""
    before = scan(0, [LATE])
    known = tuple(
        last_known(volume, volume.verdict.status).model_copy(
            update={"recovery_point_time": volume.recovery_point_time, "observed_at": before.scan.started_at}
        )
        for volume in before.volumes
    )
    return scan(1, [seen, Seen(TWO)]).model_copy(update={"last_known": known})


def samples(inventory: Inventory, name: str) -> dict[tuple[str, ...], float]:
    text = written(inventory, ".prom").decode()
    return {
        tuple(sample.labels.get(label, "") for label in ("account_id", "volume_id")): sample.value
        for family in text_string_to_metric_families(text)
        if family.name == name
        for sample in family.samples
    }


def test_breaches_hold_while_a_target_or_a_gateway_is_not_read() -> None:
    before = samples(scan(0, [LATE, Seen(TWO)]), "sgw_breaches")
    for seen in (DOWN, UNREACHABLE):
        assert samples(carried(seen), "sgw_breaches") == before == {(ONE, ""): 2, (TWO, ""): 0}
        assert samples(carried(seen), "sgw_breaches_stale") == {(ONE, ""): 2}
    assert samples(scan(0, [LATE]), "sgw_breaches_stale") == {}


def test_ages_hold_and_are_marked_as_stale() -> None:
    before = samples(scan(0, [LATE, Seen(TWO)]), "sgw_volume_recovery_point_age_seconds")
    for seen in (DOWN, UNREACHABLE):
        found = carried(seen)
        assert samples(found, "sgw_volume_recovery_point_age_seconds") == before
        stale = samples(found, "sgw_volume_stale")
        assert stale == {(ONE, f"vol-0000000{number}"): 1 for number in (1, 2, 3)}


def test_a_waived_volume_or_one_that_takes_no_writes_counts_for_no_breach() -> None:
    found = carried(DOWN)
    waived = tuple(known.model_copy(update={"waived": "ticket"}) for known in found.last_known)
    assert samples(found.model_copy(update={"last_known": waived}), "sgw_breaches_stale") == {}
    away = carried(UNREACHABLE)
    detached = tuple(
        volume.model_copy(update={"gateway_arn": None}) if volume.account_id == ONE else volume
        for volume in away.volumes
    )
    assert samples(away.model_copy(update={"volumes": detached}), "sgw_breaches_stale") == {}


def test_a_table_has_a_row_for_each_and_none_of_them_is_rated() -> None:
    for seen, verdict in ((DOWN, "not_read"), (UNREACHABLE, VerdictStatus.UNKNOWN.value)):
        table = csv.DictReader(io.StringIO(written(carried(seen), ".csv").decode()))
        rows = [row for row in table if row["account_id"] == ONE and row["volume_id"]]
        assert [(row["volume_id"], row["verdict"], row["age_seconds"]) for row in rows] == [
            (f"vol-0000000{number}", verdict, "") for number in (1, 2, 3)
        ]
        assert [row["last_known_point_time"][:13] for row in rows] == ["2024-10-30T21", "", "2024-11-01T02"]
        assert rows[0]["recovery_point_time"] == ""

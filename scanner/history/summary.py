"""One line for each kept scan."""

from typing import Any, Final

from scanner.history.store import KeptScan

COLUMNS: Final = (
    "scan_id",
    "started_at",
    "outcome",
    "narrowed",
    "targets",
    "targets_read",
    "gateways",
    "volumes",
    "need_action",
    "unknown",
    "missing_shards",
)


def row_of(scan: KeptScan) -> tuple[Any, ...]:
    """What a list shows of a scan, in the order of `COLUMNS`; read from its manifests alone."""
    coverage = [part.coverage for part in scan.parts]
    return (
        scan.id,
        scan.started_at,
        scan.outcome.value,
        scan.narrowed,
        sum(each.targets.planned for each in coverage),
        sum(each.targets.complete + each.targets.partial for each in coverage),
        sum(each.gateways.listed for each in coverage),
        sum(each.volumes.known for each in coverage),
        sum(each.volumes.need_action for each in coverage),
        sum(each.volumes.unknown for each in coverage),
        list(scan.missing_shards) or None,
    )

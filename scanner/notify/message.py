"""A digest as what people and programs read. Text of other people is harmless in each form."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from scanner.inventory.model import Inventory
from scanner.notify.alerts import Alert, AlertKind, Digest
from scanner.output.text import printable

MOST_LINES = 20
MOST_DATA = 200
"""Alerts of each kind in the data; EventBridge takes no more than 256 KB."""
_WORDS = {
    AlertKind.BREACH: "breach",
    AlertKind.NO_RECOVERY_POINT: "no recovery point",
    AlertKind.BACKWARDS: "went backwards",
    AlertKind.VANISHED: "vanished",
    AlertKind.LEFT_SCOPE: "left the scope",
    AlertKind.COVERAGE_LOST: "not read",
    AlertKind.SCAN_FAILED: "scan failed",
}


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: a subject of one line, a plain text, the same as data, and whether anything is wrong."""

    subject: str
    text: str
    data: Mapping[str, Any]
    wrong: bool
    scan_id: str

    def json(self) -> bytes:
        return json.dumps(self.data, ensure_ascii=False, separators=(",", ":")).encode()


def message_of(
    digest: Digest,
    inventory: Inventory,
    *,
    fleet: str,
    names: Mapping[str, str | None],
    outputs: Iterable[str] = (),
) -> Message:
    """The message for one digest. `names` are the accounts' by id, `outputs` where the report lies."""
    places = tuple(outputs)
    subject = _subject(digest, fleet)
    lines = [subject, "", *_body(digest, names), "", _coverage(inventory)]
    lines += [f"Report: {printable(place)}" for place in places]
    data = {
        "version": 1,
        "fleet": fleet,
        "scan": {
            "id": inventory.scan.id,
            "finished_at": inventory.model_dump(mode="json", include={"scan": {"finished_at"}})["scan"][
                "finished_at"
            ],
            "outcome": inventory.scan.outcome.value,
        },
        "first": digest.first,
        "counts": {
            "opened": len(digest.opened),
            "closed": len(digest.closed),
            "repeated": len(digest.repeated),
            "open": len(digest.told.open),
        },
        "opened": _data(digest.opened),
        "closed": _data(digest.closed),
        "repeated": _data(digest.repeated),
        "outputs": places,
    }
    wrong = bool(digest.told.open or digest.opened)
    return Message(subject, "\n".join(lines), data, wrong, inventory.scan.id)


def trial_message(fleet: str, scan_id: str) -> Message:
    """What proves that an address works."""
    subject = f"sgw-scanner {printable(fleet)}: a test"[:100]
    text = f"{subject}\n\nThis address gets the alerts of sgw-scanner. Nothing is wrong."
    data = {"version": 1, "fleet": fleet, "test": True}
    return Message(subject, text, data, False, scan_id)


def _data(alerts: Sequence[Alert]) -> list[dict[str, Any]]:
    return [alert.model_dump(mode="json") | {"text": printable(alert.text)} for alert in alerts[:MOST_DATA]]


def _subject(digest: Digest, fleet: str) -> str:
    parts = [
        f"{len(alerts)} {word}"
        for alerts, word in (
            (digest.opened, "new"),
            (digest.repeated, "still open"),
            (digest.closed, "closed"),
        )
        if alerts
    ]
    if digest.first and parts:
        parts = [f"{len(digest.opened)} open at the first scan"]
    return f"sgw-scanner {printable(fleet)}: {', '.join(parts) or 'nothing needs action'}"[:100]


def _body(digest: Digest, names: Mapping[str, str | None]) -> Iterator[str]:
    left = MOST_LINES
    total = 0
    for title, alerts in (
        ("Open" if digest.first else "New", digest.opened),
        ("Still open", digest.repeated),
        ("Closed", digest.closed),
    ):
        total += len(alerts)
        shown = alerts[:left]
        left -= len(shown)
        if shown:
            yield f"{title}:"
            yield from _grouped(shown, names)
    if total > MOST_LINES:
        yield f"... and {total - MOST_LINES} more"


def _grouped(alerts: Iterable[Alert], names: Mapping[str, str | None]) -> Iterator[str]:
    for (account, region), group in groupby(alerts, key=lambda alert: (alert.account_id, alert.region)):
        if account:
            name = names.get(account)
            shown = f"{printable(name)} ({account})" if name else account
            yield f"  {shown}{f', {region}' if region else ''}"
        for alert in group:
            yield f"    {_WORDS[alert.kind]}: {printable(alert.subject.rpartition(':')[2])}: {printable(alert.text)}"


def _coverage(inventory: Inventory) -> str:
    targets = inventory.coverage.targets
    return f"Scan {inventory.scan.outcome.value}: {targets.complete} of {targets.planned} targets read completely."

"""The JSON Schema of an inventory, in which every field is explained."""

from collections.abc import Mapping
from typing import Any

from scanner.inventory.model import Inventory
from scanner.inventory.records import SCHEMA_VERSION

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ID = f"urn:sgw-scanner:schema:inventory:{SCHEMA_VERSION}"
_ACCOUNT = "The account, twelve digits."
_REGION = "The AWS Region."
_WAIVED = "The reason of the waiver that excuses it; null where none does."
DESCRIPTIONS: Mapping[str, Mapping[str, str]] = {
    "Inventory": {
        "schema_version": "The version of this form.",
        "scan": "Which scan this was.",
        "coverage": "How many targets, gateways and volumes there are, and what became of each.",
        "targets": "Every account in every Region that was planned, by account and Region.",
        "gateways": "Every gateway that was listed, by ARN.",
        "volumes": "Every cached volume that is known, by ARN.",
        "failures": "What could not be read, and why.",
        "last_known": "With a history: the last recovery points of volumes that could not be read this time.",
    },
    "ScanInfo": {
        "id": "The id of the scan.",
        "started_at": "When it began.",
        "finished_at": "When it ended.",
        "outcome": "complete: all was read; partial: some was not; failed: nothing was.",
        "deadline_reached": "Whether the deadline ended it.",
        "interrupted": "Whether a signal ended it.",
        "scanner_version": "The version of sgw-scanner.",
        "details": "Which extra calls were made: gateway, volumes, tags.",
        "list_volumes": "Which targets were asked for their volumes.",
        "shard": "Which part of the fleet was scanned; null for all of it.",
        "missing_shards": "The parts of the fleet that a merge was not given.",
        "asked": "What the scan was asked for, and by which policy it judged; null where that is not one policy.",
    },
    "Asked": {
        "source": "Where the policy was set: the file, and the variables and flags that override it.",
        "accounts": "The accounts to which the scan was narrowed; empty for all.",
        "regions": "The Regions to which it was narrowed; empty for all.",
        "rpo_seconds": "The RPO where no rule and no account has one.",
        "warn_at": "From which share of its RPO a volume is at risk.",
        "rules": "The rules, in the order in which they were tried.",
        "waivers": "The waivers.",
    },
    "AskedRule": {"name": "The rule's name.", "rpo_seconds": "The RPO that it sets."},
    "AskedWaiver": {
        "reason": "Why it excuses.",
        "until": "The last day, in UTC, on which it does.",
        "excuses": "What it excuses: breach, unreachable.",
    },
    "Shard": {"index": "The number of the part, from 1.", "count": "In how many parts the fleet is cut."},
    "Coverage": {
        "targets": "Targets by their status.",
        "gateways": "Gateways by their status.",
        "volumes": "Volumes by their verdict.",
        "calls": "Calls to Storage Gateway.",
    },
    "TargetCounts": {
        "planned": "All of them: the sum of the others.",
        "complete": "Read wholly.",
        "partial": "Listed, but some gateway failed or a list broke off.",
        "failed": "Nothing was listed.",
        "skipped": "Not asked, for the reason that the target gives.",
    },
    "GatewayCounts": {
        "listed": "All of them: the sum of the others.",
        "scanned": "Their recovery points were read.",
        "not_applicable": "Of a type that has no recovery points.",
        "failed": "Could not be read; a failure names each.",
        "vanished": "Deleted between the listing and the question.",
    },
    "VolumeCounts": {
        "known": "All of them: the sum of the six verdicts.",
        "ok": "Within their RPO.",
        "at_risk": "Within their RPO, but beyond warn_at of it.",
        "breach": "Older than their RPO.",
        "no_recovery_point": "Without any recovery point.",
        "unrated": "No RPO applies.",
        "unknown": "Nobody could be asked.",
        "waived": "Of those in breach or without a point, the ones that a waiver excuses.",
        "need_action": "Of those in breach or without a point, the ones that no waiver excuses.",
    },
    "CallCounts": {
        "attempted": "Requests that were sent.",
        "retried": "Those beyond the first try of a call.",
        "throttled": "Those that were throttled.",
    },
    "Target": {
        "account_id": _ACCOUNT,
        "account_name": "Its name, where that is known.",
        "ou_path": "The organizational units above it, where they are known.",
        "region": "The AWS Region; * where not even the account's Regions are known.",
        "status": "complete, partial, failed or skipped.",
        "reason": "Why it was skipped.",
        "gateways": "How many gateways were listed.",
        "volumes": "How many volumes are known.",
        "volumes_listed": "Whether ListVolumes named all volumes; false: it failed; null: it was not asked.",
    },
    "Gateway": {
        "arn": "Its ARN.",
        "id": "Its id.",
        "name": "Its name, where there is one.",
        "account_id": _ACCOUNT,
        "region": _REGION,
        "type": "Its type, as the service says; only CACHED ones have recovery points.",
        "operational_state": "As the service says.",
        "host_environment": "Where it runs, as the service says.",
        "ec2_instance_id": "The instance that it runs on, if it does.",
        "software_version": "The version of its software.",
        "deprecation_date": "When that version ceases to be supported.",
        "status": "scanned, not_applicable, failed or vanished.",
        "observed_at": "When it answered, by the service's clock.",
        "details": "The service's own description; needs the detail gateway.",
        "tags": "Its tags; null where they were not read.",
    },
    "Volume": {
        "arn": "Its ARN.",
        "id": "Its id.",
        "gateway_arn": "The gateway that answered for it; null where it is detached.",
        "account_id": _ACCOUNT,
        "region": _REGION,
        "size_bytes": "Its size.",
        "usage_bytes": "How much of it is used.",
        "recovery_point_time": "The latest moment at which all of its data is consistent; null where there is none.",
        "attachment_status": "As ListVolumes says.",
        "details": "The service's own description; needs the detail volumes.",
        "tags": "Its tags; null where they were not read.",
        "verdict": "How it stands against its RPO.",
    },
    "Verdict": {
        "status": "ok, at_risk, breach, no_recovery_point, unrated or unknown.",
        "age_seconds": "The moment at which the gateway answered, minus the recovery point's time.",
        "rpo_seconds": "The greatest age that is allowed.",
        "rule": "The rule that set it; account or default where none matched.",
        "waived": "The reason of the waiver that matches the volume; null where none does.",
    },
    "Failure": {
        "scope": "What could not be read: an account, a target or a gateway.",
        "account_id": _ACCOUNT,
        "region": "The AWS Region; null where all of the account failed.",
        "gateway_arn": "The gateway, where one failed.",
        "operation": "The call that failed.",
        "kind": "Of which kind it is.",
        "code": "The service's code of the error.",
        "message": "The service's own words.",
        "remedy": "What mends it.",
        "refused": "Who was refused what, as the service says.",
        "waived": _WAIVED,
        "attempts": "How often the call was sent.",
        "request_id": "The id that AWS's support asks for.",
    },
    "Refused": {
        "principal": "Who was refused.",
        "action": "The action that is not allowed.",
        "resource": "On which resource.",
    },
    "LastKnown": {
        "arn": "The volume's ARN.",
        "gateway_arn": "The gateway that it was on.",
        "account_id": _ACCOUNT,
        "region": _REGION,
        "recovery_point_time": "The last recovery point that was seen; null where there was none.",
        "observed_at": "When that was seen.",
        "scan_id": "The scan that saw it.",
        "at_most_age_seconds": "The greatest age that the latest point can have by now.",
        "rpo_seconds": "The RPO, as that scan had it.",
        "within_rpo": "true: certainly within the RPO; false: it may be beyond.",
        "verdict": "What that scan said of it.",
        "waived": _WAIVED,
    },
}
"""What each field says, by the record that it is of."""


def inventory_schema() -> dict[str, Any]:
    """The schema of what `Inventory.model_dump_json` writes; what it lacks, no inventory may lack."""
    schema = described(Inventory.model_json_schema(mode="serialization"), ID, DESCRIPTIONS)
    schema["properties"]["schema_version"] |= {"const": SCHEMA_VERSION}
    # Newer than the first inventories.
    schema["required"] = [name for name in schema["properties"] if name != "last_known"]
    return schema


def described(
    schema: dict[str, Any], identifier: str, descriptions: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """`schema` with its dialect, its id, and a description of each property. Raises KeyError for one that lacks it."""
    root = schema["title"]
    for name, part in (*schema.get("$defs", {}).items(), (root, schema)):
        for field, value in part.get("properties", {}).items():
            value["description"] = descriptions[name][field]
    return {"$schema": DIALECT, "$id": identifier, **schema}

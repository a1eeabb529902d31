"""The JSON Schema of the configuration, in which every setting is explained."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter

from scanner.config.settings import ScannerConfig
from scanner.inventory.schema import described
from scanner.policy.durations import DURATION_PATTERN, format_duration

_SECONDS = TypeAdapter(timedelta)
ID = "urn:sgw-scanner:schema:config"
FILE = "config.schema.json"
"""Where `scanner.toml` looks for it: beside itself."""
_GLOBS = "Globs, one of which must match"
_EXTERNAL_ID = "The external id that the role's trust policy asks for."
_SESSION = "The name of the session, as CloudTrail shows it."
_VIA = "A role that is assumed first, by its ARN."
DESCRIPTIONS: Mapping[str, Mapping[str, str]] = {
    "ScannerConfig": {
        "scan": "Where to look, and how hard.",
        "retry": "How often a call is tried.",
        "credentials": "The identity that sgw-scanner starts with.",
        "accounts": "The accounts to scan; none here and no organization: the base identity's own.",
        "organization": "Accounts that AWS Organizations names are scanned, too.",
        "policy": "Which RPO holds for which volume.",
        "output": "What each scan writes.",
        "history": "Where scans are kept.",
        "notify": "Who is told what changed.",
        "telemetry": "What OpenTelemetry is given.",
        "lock": "One scan at a time.",
    },
    "ScanSettings": {
        "regions": 'Region names, or "enabled": all that the account has enabled and that offer the service.',
        "max_concurrency": "API calls in flight, whole scan.",
        "max_concurrency_per_target": "API calls in flight against one account in one Region.",
        "deadline": "How long the whole scan may take; what is unfinished then is reported as such.",
        "call_timeout": "How long one attempt of one call may take.",
        "connect_timeout": "How long connecting may take, of that.",
        "exclude_regions": "Regions that are never asked; they are listed as skipped.",
        "list_volumes": "Which targets are asked for their volumes.",
        "details": "Extra calls: any of gateway, volumes, tags.",
        "shard_by": "Whether shards are cut by account or by target.",
    },
    "RetrySettings": {
        "max_attempts": "How often a call is sent at most.",
        "base_delay": "The first pause, doubled each time, with full jitter.",
        "max_delay": "The longest pause.",
    },
    "CredentialSettings": {
        "profile": "The profile of the base identity; else the SDK's own chain.",
        "session_tags": "Tags of each session that is assumed.",
    },
    "AccountSettings": {
        "id": "The account, twelve digits, in quotes.",
        "name": "What it is called.",
        "role": "The role to assume in it, by its name or ARN.",
        "external_id": _EXTERNAL_ID,
        "session_name": _SESSION,
        "via": _VIA,
        "profile": "A profile that is of this account, instead of a role.",
        "regions": "Its Regions, instead of scan.regions.",
        "rpo": "Its RPO, instead of policy.rpo.",
    },
    "OrganizationSettings": {
        "role": "The role to assume in each account, by its name.",
        "external_id": _EXTERNAL_ID,
        "session_name": _SESSION,
        "via": _VIA,
        "include_ous": "Units or roots whose accounts are scanned; none: all.",
        "exclude_ous": "Units whose accounts are not.",
        "exclude_accounts": "Accounts that are not scanned.",
        "include_management_account": "Whether the management account is scanned, too.",
    },
    "Policy": {
        "rpo": "The greatest age that a recovery point may have where nothing else says.",
        "warn_at": "From which share of its RPO a volume is at risk.",
        "rules": "RPOs for the volumes that match; the first rule that does decides.",
        "waivers": "Volumes and gateways that are excused for a while.",
    },
    "Rule": {
        "name": "What verdicts call it.",
        "rpo": "The RPO of the volumes that match.",
        "match": "Conditions, all of which must hold.",
    },
    "Match": {
        "accounts": f"{_GLOBS} the account's id or name.",
        "regions": f"{_GLOBS} the Region.",
        "gateways": f"{_GLOBS} the gateway's id, name or ARN.",
        "volumes": f"{_GLOBS} the volume's id or ARN.",
        "tags": "Globs by tag, of the volume or of its gateway; needs the detail tags.",
    },
    "Waiver": {
        "match": "Conditions, all of which must hold.",
        "until": "The last day, in UTC, on which it excuses.",
        "reason": "Why; verdicts repeat it.",
        "excuses": "What it excuses: breach, unreachable.",
    },
    "OutputSettings": {
        "files": "Places that each scan writes; the suffix names the format.",
        "fleet": "The label fleet of every metric.",
        "encryption": "Server-side encryption of objects in buckets.",
        "kms_key": "The key for it.",
    },
    "HistorySettings": {
        "path": "A folder, or s3://bucket/prefix.",
        "keep": "How long prune keeps a scan, counted back from the newest.",
    },
    "NotifySettings": {
        "urls": "Addresses; ${NAME} is read from the environment.",
        "secret": "Signs the bodies of webhooks.",
        "on": "Of what to tell.",
        "repeat": "After how long what is still open is told again.",
        "confirm": "Scans running in which a target must fail before that is told.",
        "timeout": "How long one delivery may take.",
        "ping_url": "Is told of the start and the exit status of each scan.",
        "ping_status": "Whether a breach counts as a failure there.",
    },
    "TelemetrySettings": {"gateways": "Whether each gateway has a span of its own."},
    "LockSettings": {"path": "The file of the lock; empty for none."},
}
"""What each setting does, by the table that it is in."""


def config_schema() -> dict[str, Any]:
    """The schema of a `scanner.toml`, for editors."""
    schema = described(ScannerConfig.model_json_schema(), ID, DESCRIPTIONS)
    for model in schema["$defs"].values():
        for field in model.get("properties", {}).values():
            default = field.get("default")
            if field.get("pattern") == DURATION_PATTERN and default is not None:
                # Pydantic writes durations of its own as ISO 8601, which no setting takes.
                field["default"] = format_duration(_SECONDS.validate_python(default))
    return schema

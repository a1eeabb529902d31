"""The commented `scanner.toml` that a new user starts from."""

import os
from pathlib import Path

from scanner.errors import ConfigError
from scanner.output.atomic_files import atomic, check_place

STARTER = """\
# What sgw-scanner is asked. Every setting there is stands here; all of them may be left out.
# A line that begins with # and a blank explains. A line that begins with # alone is a setting that is not
# in force: take the # away. Those under [scan] and [retry] show the default, unless marked as an example.
#
# An environment variable overrides one value, as SGW_SCANNER_SCAN__MAX_CONCURRENCY=16 does, and an option
# of the command line overrides both. Durations are written 250ms, 30s, 10m, 24h, 7d, or combined: 1h30m.
#
# Without [organization] and [[accounts]] the account of your own credentials is scanned.
# When you are done, `sgw-scanner check` proves that a scan can work, and scans nothing.

[scan]
# "enabled": all that each account has enabled and that offer the service; or a list such as ["us-east-1"].
#regions = "enabled"
# Never asked, whatever `regions` says; listed as skipped. (An example.)
#exclude_regions = ["me-south-1"]
# Extra calls, which need permissions too: `sgw-scanner iam policy --details gateway,volumes,tags` tells them.
# "gateway": state, network and software of each gateway. "volumes": volumes without any recovery point, and
# the status of all. "tags": those of gateways and volumes. (An example; the default is none.)
#details = ["gateway", "volumes", "tags"]
# API calls in flight: in the whole scan, and against one account in one Region.
#max_concurrency = 64
#max_concurrency_per_target = 8
# For the whole scan; what is unfinished then is reported as such. (An example; the default is none.)
#deadline = "10m"
# For one attempt of one call, and for its connecting alone: a dead Region must not hold up a scan.
#call_timeout = "30s"
#connect_timeout = "5s"

[retry]
# How often a call is tried, and its delay: drawn at random below a bound that doubles each time.
#max_attempts = 8
#base_delay = "100ms"
#max_delay = "20s"

[credentials]
# A profile of ~/.aws/config for the base identity; without one the SDK's own chain is followed.
#profile = "audit"
# Tags that go with every role session into CloudTrail and policies; the roles must allow sts:TagSession, as
# those of `sgw-scanner iam template --session-tags` do. (An example.)
#session_tags = { team = "storage" }

# Accounts discovered through AWS Organizations. The base identity is of the management account or of a
# delegated administrator, and assumes a role of this name in every account.
#[organization]
#role = "sgw-scanner"
# As in the role's trust policy, if that asks for one. A secret is better given by the environment:
# SGW_SCANNER_ORGANIZATION__EXTERNAL_ID
#external_id = "choose-one-of-your-own"
# CloudTrail shows it in every account.
#session_name = "sgw-scanner"
# A role that is assumed first, and assumes the others.
#via = "arn:aws:iam::999988887777:role/hub"
# These units and everything below them; the default is the whole organization.
#include_ous = ["ou-ab12-11111111"]
#exclude_ous = ["ou-ab12-22222222"]
#exclude_accounts = ["444455556666"]
#include_management_account = true

# An account by itself, as often as there are some. It wins over the same account in the organization.
#[[accounts]]
#id = "111122223333"
#name = "prod"
# A name or an ARN, assumed from the base identity.
#role = "sgw-scanner"
#external_id = "choose-one-of-your-own"
#session_name = "sgw-scanner"
#via = "arn:aws:iam::999988887777:role/hub"
# Instead of scan.regions and of policy.rpo:
#regions = ["us-east-1", "eu-west-1"]
#rpo = "4h"

#[[accounts]]
#id = "222233334444"
# Instead of a role: this profile as it is.
#profile = "prod"

[policy]
# RPO: the greatest age that a volume's recovery point may have. Without any, volumes are "unrated".
rpo = "24h"
# The fraction of its RPO from which a volume is "at_risk".
#warn_at = 0.8

# The first rule that matches decides; every condition that it gives must hold. * and ? are wildcards.
# Accounts and gateways are matched by id or name. A match by tags needs "tags" in scan.details.
#[[policy.rules]]
#name = "tier-1"
#rpo = "1h"
#[policy.rules.match]
#accounts = ["prod*"]
#regions = ["us-*"]
#gateways = ["db-*"]
#volumes = ["vol-*"]
#tags = { tier = "1" }

# A waived volume keeps its verdict but counts for no breach, up to and including the day `until` in UTC.
# The conditions are those of a rule.
#[[policy.waivers]]
#until = 2027-01-31
#reason = "migration, ticket 4711"
#match = { gateways = ["lab-*"] }

[output]
# Written by each scan; the suffix names the format: .json .ndjson .csv .parquet .html .prom
#files = ["inventory.json", "metrics.prom", "s3://bucket/inventory.parquet"]
# How objects in buckets are encrypted; the default is the bucket's own way. (An example.)
#encryption = "aws:kms"
#kms_key = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

[lock]
# One scan at a time; the default is a file in your runtime folder, named after this one. "" for no lock.
#path = "scanner.lock"
"""


def write_starter(path: Path) -> None:
    """Writes `STARTER` to a new file; raises ConfigError where one is, OutputError where none can be."""
    if os.path.lexists(path) and not path.is_dir():
        raise ConfigError(
            f"{path}: is there already and stays as it is; name another file, or remove this one"
        )
    check_place(path)
    with atomic(path) as stream:
        stream.write(STARTER.encode())

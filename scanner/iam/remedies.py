"""What to do about each failure, in a sentence."""

import re

from scanner.iam.permissions import remedy
from scanner.inventory.records import Failure, FailureKind, SkipReason

_REFUSED = re.compile(
    r"User: (?P<who>arn:\S+) is not authorized to perform: \S+ on resource: (?P<what>arn:[^\s;,]+)"
)
_DENIED = re.compile(r"with an explicit deny in (?:an? )?([\w -]+? policy)")
_UNALLOWED = re.compile(r"because no (service control|VPC endpoint|session|permissions boundary)")

REMEDIES: dict[FailureKind, str] = {
    FailureKind.THROTTLED: (
        "The service kept throttling. Lower scan.max_concurrency_per_target, raise retry.max_attempts, "
        "or scan when other tools do not."
    ),
    FailureKind.TIMEOUT: "No answer in time. Raise scan.call_timeout if this Region is far or slow.",
    FailureKind.NETWORK: (
        "The endpoint could not be reached. Check DNS, proxy, VPC endpoint and firewall for this Region."
    ),
    FailureKind.SERVER_ERROR: "The service failed. Scan again later; open a support case if it stays.",
    FailureKind.ACCESS_DENIED: (
        "The role lacks this permission, or a policy denies it. Compare the role with: sgw-scanner iam policy"
    ),
    FailureKind.CREDENTIALS: (
        "No usable credentials. Check the profile, the role's trust policy and external id, "
        "and this machine's clock."
    ),
    FailureKind.WRONG_ACCOUNT: (
        "The credentials belong to another account. Check role and profile of this account."
    ),
    FailureKind.GATEWAY_UNREACHABLE: (
        "The service cannot reach the gateway. Check that it runs, and its network path to AWS."
    ),
    FailureKind.INVALID_REQUEST: (
        "The service refused the request. See the message; report it if it makes no sense."
    ),
    FailureKind.INVALID_RESPONSE: (
        "The answer was not what the service documents. "
        "Look for a proxy or endpoint that answers in its place."
    ),
    FailureKind.DEADLINE: "The scan's deadline came first. Raise scan.deadline.",
    FailureKind.INTERRUPTED: "The scan was stopped. Scan again.",
}

REASONS: dict[SkipReason, str] = {
    SkipReason.EXCLUDED: "excluded by the configuration",
    SkipReason.NOT_ENABLED: "not enabled for the account",
    SkipReason.NOT_OFFERED: "Storage Gateway is not offered there",
}


def remedy_of(failure: Failure) -> str:
    """What mends `failure`: the statement to add to which policy, where a permission is missing.

    Whom AWS has refused what, and by which kind of policy, is read off its own words.
    """
    if failure.kind is not FailureKind.ACCESS_DENIED:
        return REMEDIES[failure.kind]
    denied = _DENIED.search(failure.message)
    if denied:
        return f"An explicit deny in a {denied[1]} forbids it, which no allow mends: change that policy."
    refused = _REFUSED.search(failure.message)
    what = failure.gateway_arn or (refused["what"] if refused else None)
    tags = "sts:TagSession" in failure.message
    mended = remedy(failure.operation, what, refused["who"] if refused else None, session_tags=tags)
    missing = _UNALLOWED.search(failure.message)
    return f"{mended}; the {missing[1]} policy must allow it, too" if missing else mended

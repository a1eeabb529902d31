"""What to do about each failure, in a sentence."""

import re

from scanner.iam.permissions import TAG_SESSION, remedy
from scanner.inventory.records import Failure, FailureKind, Refused, SkipReason

LONGEST_SENTENCE = 2000
"""Characters of a message that are looked at: an inventory may come from anybody."""
# Printable ASCII only: what is read here is advised to people, and a terminal must not obey it.
_REFUSED = re.compile(
    r"User: (?P<principal>[!-~]{1,400}) is not authorized to perform: (?P<action>[A-Za-z0-9-]{1,64}:[A-Za-z0-9]{1,128})"
    r"(?: on resource: (?P<resource>[!-+\--:<-~]{1,400}))?"
)
_DENIED = re.compile(r"with an explicit deny in (?:an? )?([\w -]{1,60}? policy)")
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


def refusal_in(message: str) -> Refused | None:
    """Who was refused what, as AWS's own sentence says; None where it says something else."""
    found = _REFUSED.search(message[:LONGEST_SENTENCE])
    return Refused(**found.groupdict()) if found else None


def remedy_of(failure: Failure) -> str:
    """The one thing that helps against `failure`: what its facts name, else what helps against its kind.

    Where a permission is missing, that is the statement to add, and to which policy.
    """
    if failure.remedy:
        return failure.remedy
    if failure.kind is FailureKind.ACCESS_DENIED:
        return _of_denial(failure)
    return REMEDIES[failure.kind]


def _of_denial(failure: Failure) -> str:
    # AWS says which kind of policy refused in its sentence only.
    sentence = failure.message[:LONGEST_SENTENCE]
    denied = _DENIED.search(sentence)
    if denied:
        return f"An explicit deny in a {denied[1]} forbids it, which no allow mends: change that policy."
    refused = failure.refused or refusal_in(sentence)
    resource = failure.gateway_arn or (refused.resource if refused else None)
    tags = TAG_SESSION in sentence
    add = remedy(failure.operation, resource, refused.principal if refused else None, session_tags=tags)
    missing = _UNALLOWED.search(sentence)
    return f"{add}; the {missing[1]} policy must allow it, too" if missing else add

"""What to do about each kind of failure, in a sentence."""

from scanner.records import FailureKind, SkipReason

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

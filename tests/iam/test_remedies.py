"""What mends a refusal is read off AWS's own words."""

import pytest

from scanner.iam.remedies import REMEDIES, remedy_of
from scanner.inventory.records import Failure, FailureKind, FailureScope

HUB = "arn:aws:sts::999988887777:assumed-role/hub/sgw-scanner"
ROLE = "arn:aws:iam::111122223333:role/svc/audit"
REFUSED = f"User: {HUB} is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
REGIONS = (
    "User: arn:aws-cn:sts::111122223333:assumed-role/scan/s is not authorized to perform: account:ListRegions"
    " on resource: arn:aws-cn:account::111122223333:account"
)


def failure(
    message: str, operation: str = "AssumeRole", kind: FailureKind = FailureKind.ACCESS_DENIED
) -> Failure:
    scope = FailureScope.ACCOUNT
    return Failure(scope=scope, account_id="111122223333", operation=operation, kind=kind, message=message)


@pytest.mark.parametrize(
    ("told", "mended"),
    [
        (
            failure(REFUSED),
            f'policy of {HUB}: {{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": "{ROLE}"}}',
        ),
        (
            failure(f"{REFUSED} because no identity-based policy allows the sts:TagSession action"),
            '"Action": ["sts:AssumeRole", "sts:TagSession"]',
        ),
        (
            failure(REGIONS, "ListRegions"),
            '"Action": ["account:ListRegions"], "Resource": "arn:aws-cn:account::111122223333:account"}',
        ),
        (
            failure(f"{REGIONS} because no service control policy allows it", "ListRegions"),
            "; the service control policy must allow it, too",
        ),
        (
            failure(f"{REGIONS} with an explicit deny in a service control policy", "ListRegions"),
            "An explicit deny in a service control policy forbids it, which no allow mends",
        ),
        (failure("no", kind=FailureKind.THROTTLED), REMEDIES[FailureKind.THROTTLED]),
    ],
)
def test_the_remedy_names_who_needs_what_on_which_resource(told: Failure, mended: str) -> None:
    """And never advises to allow what a policy of another kind forbids."""
    assert mended in remedy_of(told)
    if "explicit deny" in told.message:
        assert '"Allow"' not in remedy_of(told)


def test_a_remedy_that_only_the_place_of_the_failure_knows_stands() -> None:
    """Whatever its kind: only there it is known which file or variable to mend."""
    failure = Failure(
        scope=FailureScope.ACCOUNT,
        account_id="111122223333",
        operation="GetCredentials",
        kind=FailureKind.ACCESS_DENIED,
        message="no",
        remedy="look into that file",
    )
    assert remedy_of(failure) == "look into that file"

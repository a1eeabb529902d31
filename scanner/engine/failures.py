"""Failures of the inventory, made of the facts of a call that was given up."""

from scanner.engine.calls.calls import GivenUp
from scanner.iam.remedies import remedy_of
from scanner.inventory.records import Failure, FailureKind, FailureScope
from scanner.service.errors import FailureFacts
from scanner.service.protocol import TargetKey


def of_account(failure: GivenUp, account_id: str, operation: str, *, about: str | None = None) -> Failure:
    """The failure of a whole account, or with ANY_ACCOUNT of the search for accounts.

    `about` names what was asked about, such as an organizational unit.
    """
    facts = failure.facts
    message = f"{about}: {facts.message}" if about else facts.message
    attempts = failure.attempts if facts.sent or facts.kind in _ENDED else 0
    return _made(facts, FailureScope.ACCOUNT, account_id, None, None, operation, message, attempts)


def of_target(failure: GivenUp, target: TargetKey, operation: str) -> Failure:
    """The failure of a target: a listing, or what it has for all of its gateways."""
    facts = failure.facts
    return _made(facts, FailureScope.TARGET, *target, None, operation, facts.message, failure.attempts)


def of_gateway(
    failure: GivenUp, target: TargetKey, gateway_arn: str, operation: str, *, waived: str | None = None
) -> Failure:
    """The failure of one gateway; `waived` is the reason of the waiver that excuses it."""
    facts = failure.facts
    made = _made(
        facts, FailureScope.GATEWAY, *target, gateway_arn, operation, facts.message, failure.attempts
    )
    return made.model_copy(update={"waived": waived}) if waived else made


_ENDED = (FailureKind.DEADLINE, FailureKind.INTERRUPTED)


def _made(
    facts: FailureFacts,
    scope: FailureScope,
    account_id: str,
    region: str | None,
    gateway_arn: str | None,
    operation: str,
    message: str,
    attempts: int,
) -> Failure:
    failure = Failure(
        scope=scope,
        account_id=account_id,
        region=region,
        gateway_arn=gateway_arn,
        operation=facts.operation or operation,
        kind=facts.kind,
        code=facts.code,
        message=message,
        remedy=facts.remedy,
        refused=facts.refused,
        attempts=attempts,
        request_id=facts.request_id,
    )
    return failure if failure.remedy else failure.model_copy(update={"remedy": remedy_of(failure)})

"""The fault rules in force: which call each of them hits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from fnmatch import fnmatchcase
from hashlib import blake2b

from ..fleets.faults import Fault
from ..services.request import Request


def gateway_of(request: Request) -> str | None:
    """The ARN of the gateway that a call is about; of the role for AssumeRole."""
    named = (request.params.get(name) for name in ("GatewayARN", "ResourceARN", "RoleArn"))
    arn = next((arn for arn in named if arn is not None), None)
    if arn is None:
        arns = request.params.get("VolumeARNs")
        arn = arns[0] if isinstance(arns, list) and arns else None
    return arn.partition("/volume/")[0] if isinstance(arn, str) else None


class FaultRules:
    """The rules in force, and how often each one has matched and hit."""

    def __init__(self, rules: Iterable[Fault] = ()) -> None:
        self._rules: list[Fault] = []
        self._matched: Counter[tuple[int, str]] = Counter()
        self._drawn: Counter[tuple[int, str]] = Counter()
        self._hit: Counter[tuple[int, str]] = Counter()
        self.hits: Counter[str] = Counter()
        for rule in rules:
            self.add(rule)

    def add(self, rule: Fault) -> Fault:
        """Puts a rule in force; earlier ones come first."""
        self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """Removes all rules."""
        self._rules.clear()
        self._matched.clear()
        self._drawn.clear()
        self._hit.clear()

    def choose(self, request: Request) -> Fault | None:
        """The first rule that hits this call, if any does."""
        for rule in self._rules:
            if _matches(rule, request) and self._hits(rule, request):
                self.hits[rule.kind] += 1
                return rule
        return None

    def _hits(self, rule: Fault, request: Request) -> bool:
        """Counts a call that matches the rule, and says whether it is one to hit."""
        subject = f"{request.account_id}:{request.region}:{gateway_of(request) or ''}"
        key = (id(rule), subject if rule.each else "")
        self._matched[key] += 1
        number = self._matched[key]
        if (
            (rule.nth is not None and number != rule.nth)
            or (rule.from_nth is not None and number < rule.from_nth)
            or (rule.times is not None and self._hit[key] >= rule.times)
            or (rule.probability < 1 and not self._draw(rule, f"{subject}:{request.operation}"))
        ):
            return False
        self._hit[key] += 1
        return True

    def _draw(self, rule: Fault, subject: str) -> bool:
        # Each subject is drawn for apart: calls that race each other must not change which of them is hit.
        key = (id(rule), subject)
        self._drawn[key] += 1
        text = f"{rule.seed}:{subject}:{self._drawn[key]}"
        return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) / 2**64 < rule.probability


def _matches(rule: Fault, request: Request) -> bool:
    """Whether the names of a rule match; counting comes after."""
    if not (
        fnmatchcase(request.service.name, rule.service)
        and fnmatchcase(request.operation, rule.operation)
        and fnmatchcase(request.account_id, rule.account)
        and fnmatchcase(request.region, rule.region)
    ):
        return False
    if rule.gateway == "*":
        return True
    arn = gateway_of(request)
    return arn is not None and (
        fnmatchcase(arn, rule.gateway) or fnmatchcase(arn.rpartition("/")[2], rule.gateway)
    )

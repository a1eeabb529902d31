"""The volumes of one target, as ListVolumes names them: with or without a recovery point, attached or not."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from scanner.engine import failures
from scanner.engine.calls.calls import Call, GivenUp
from scanner.engine.calls.paging import Paging
from scanner.engine.context import TargetContext
from scanner.engine.volume_list import holder_of
from scanner.inventory.arns import GATEWAY_ARN
from scanner.inventory.events import FieldsDropped
from scanner.inventory.records import FailureKind
from scanner.service.answers import ListedVolume
from scanner.service.errors import CallFailed

LIST_VOLUMES = "ListVolumes"
VOLUME_GATEWAYS = frozenset({"CACHED", "STORED", None})
"""Types of gateways that may hold volumes; None: the listing names no type."""


async def list_volumes(target: TargetContext) -> None:
    """Reads ListVolumes of a whole target into `target.volumes`; what cannot be read becomes failures of the target."""
    target.volumes.complete = True
    paging, marker = Paging(), None
    try:
        while True:
            call = Call(LIST_VOLUMES, target.queue, target.key, first=True, prepare=target.prepare)
            page = await target.calls.send(call, partial(target.service.list_volumes, target.key, marker))
            news, problems = await _take(target, page.volumes)
            for problem in problems:
                broken = CallFailed.of(FailureKind.INVALID_RESPONSE, problem, request_id=page.request_id)
                await _fail(target, GivenUp(broken, call.attempts))
            try:
                if not paging.follow(page.marker, news=news):
                    return
            except CallFailed as endless:
                raise GivenUp(endless, call.attempts) from None
            marker = page.marker
    except GivenUp as failure:
        await _fail(target, failure)
    finally:
        target.volumes.ended.set()


async def _take(target: TargetContext, entries: Iterable[ListedVolume]) -> tuple[bool, list[str]]:
    """Adds the entries of a page; returns whether any was new, and what is wrong with the others."""
    news, problems = False, []
    for entry in entries:
        problem = _problem_of(target, entry)
        if problem:
            problems.append(problem)
            continue
        known = target.volumes.find(entry.arn)
        if known is None:
            news = True
            if entry.dropped:
                await target.emit(FieldsDropped(entry.arn, LIST_VOLUMES, entry.dropped))
            target.volumes.add(replace(entry, arn=target.canonical(entry.arn)))
        elif not known.same_as(replace(entry, gateway_arn=holder_of(entry))):
            problems.append(f"two entries of the volume {entry.arn} contradict each other")
    return news, problems


def _problem_of(target: TargetContext, entry: ListedVolume) -> str | None:
    if entry.problem:
        return entry.problem
    if not target.owns_volume(entry.arn):
        return f"an entry names the volume {entry.arn[:200]!r}, which is not of this target"
    if entry.gateway_arn is not None:
        holder = GATEWAY_ARN.fullmatch(entry.gateway_arn)
        if not holder or not target.owns(holder):
            return f"the volume {entry.arn} is said to be of {entry.gateway_arn[:200]!r}, which is not of this target"
    return None


async def _fail(target: TargetContext, failure: GivenUp) -> None:
    target.volumes.complete = False
    await target.fail(failures.of_target(failure, target.key, LIST_VOLUMES))

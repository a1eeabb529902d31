"""Tells every address what changed since it was told the last time; what fails is told with the next scan."""

import hashlib
import json
import logging
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import anyio
from anyio.to_thread import run_sync
from pydantic import BaseModel, ValidationError

from scanner.aws.publish import Publisher
from scanner.config.settings import ScannerConfig
from scanner.errors import HistoryError
from scanner.history.changes import Change, diff
from scanner.history.manifest import key_of
from scanner.history.open import OpenHistory
from scanner.inventory.model import Inventory
from scanner.notify.addresses import senders_of
from scanner.notify.alerts import AlertKind, Digest, Told, digest
from scanner.notify.message import Message, message_of, trial_message
from scanner.notify.senders import DeliveryFailed, Sender

LOG = logging.getLogger("scanner")


class State(BaseModel):
    """What every address has been told, by the address's key; kept in the history after each delivery."""

    format: int = 1
    told: dict[str, Told] = {}


class Notifier:
    """The addresses of a configuration. What fails is a warning in the log and the answer, never an error."""

    def __init__(self, config: ScannerConfig, senders: Sequence[tuple[str, Sender]]) -> None:
        self._config = config
        self._senders = senders

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, config: ScannerConfig, environ: Mapping[str, str] = os.environ
    ) -> AsyncIterator["Notifier"]:
        """Raises ConfigError for an address that cannot be used."""
        async with Publisher.opened(config) as publisher:
            where = config.origin_of("notify.urls")
            yield cls(config, list(senders_of(config.notify, environ, publisher, where)))

    async def tell(self, inventory: Inventory, kept: OpenHistory, outputs: Sequence[str] = ()) -> int:
        """Tells all addresses of a scan that was kept; returns how many could not be told.

        `outputs` are where the report lies.
        """
        if not self._senders:
            return 0
        state = await run_sync(_last_state, kept, inventory)
        told: dict[str, Told] = dict(state.told)
        digests = await run_sync(self._digests, inventory, kept, state)
        failed = 0
        async with anyio.create_task_group() as group:

            async def one(key: str, sender: Sender, found: Digest) -> None:
                nonlocal failed
                if found and not await self._sent(sender, self._message(found, inventory, outputs)):
                    failed += 1
                    return
                told[key] = found.told

            for (key, found), (_, sender) in zip(digests, self._senders, strict=True):
                group.start_soon(one, key, sender, found)
        # What is configured no more is forgotten.
        current = {key: told[key] for key, _ in digests if key in told}
        await kept.note(
            f"alerts/{key_of(inventory.scan)}.json", State(told=current).model_dump_json().encode()
        )
        return failed

    async def test(self) -> list[tuple[str, str | None]]:
        """Sends a test message to every address; each one's name, and why it failed."""
        message = trial_message(self._config.fleet, "test")
        results: dict[int, tuple[str, str | None]] = {}

        async def one(number: int, sender: Sender) -> None:
            try:
                await sender.send(message)
            except DeliveryFailed as error:
                results[number] = sender.name, str(error)
            else:
                results[number] = sender.name, None

        async with anyio.create_task_group() as group:
            for number, (_, sender) in enumerate(self._senders):
                group.start_soon(one, number, sender)
        return [results[number] for number in sorted(results)]

    async def _sent(self, sender: Sender, message: Message) -> bool:
        try:
            await sender.send(message)
        except DeliveryFailed as error:
            LOG.warning("no alert to %s: %s; it is sent with the next scan", sender.name, error)
            return False
        return True

    def _message(self, found: Digest, inventory: Inventory, outputs: Sequence[str]) -> Message:
        names = {target.account_id: target.account_name for target in inventory.targets}
        return message_of(found, inventory, fleet=self._config.fleet, names=names, outputs=outputs)

    def _digests(self, inventory: Inventory, kept: OpenHistory, state: State) -> list[tuple[str, Digest]]:
        settings = self._config.notify
        narrowed = kept.narrowed or bool(inventory.scan.shard)
        changes: dict[str, list[Change]] = {}
        found = []
        for configured, _ in self._senders:
            key = key_of_address(configured)
            told = state.told.get(key)
            if told and told.baseline not in changes:
                changes[told.baseline] = _changes(told.baseline, inventory, kept, narrowed=narrowed)
            found.append(
                (
                    key,
                    digest(
                        inventory,
                        changes[told.baseline] if told else (),
                        told,
                        kinds=frozenset(AlertKind(kind) for kind in settings.on),
                        repeat=settings.repeat,
                        confirm=settings.confirm,
                        narrowed=narrowed,
                    ),
                )
            )
        return found


def key_of_address(configured: str) -> str:
    """How the state names an address: it may be a secret, so by a sum of it."""
    return hashlib.sha256(configured.encode()).hexdigest()[:16]


def _changes(baseline: str, inventory: Inventory, kept: OpenHistory, *, narrowed: bool) -> list[Change]:
    try:
        before = kept.history.find(baseline)
        old = kept.history.read(before)
    except HistoryError as error:
        LOG.warning("what changed since the last alert is not known: %s", error)
        return []
    return list(diff(old, inventory, old_narrowed=before.narrowed, new_narrowed=narrowed))


def _last_state(kept: OpenHistory, inventory: Inventory) -> State:
    """The state after the newest scan before this one; of the same shard, if it is of one."""
    shard = inventory.scan.shard
    suffix = f".{shard.index}-of-{shard.count}.json" if shard else ".json"
    own = f"alerts/{key_of(inventory.scan)}.json"
    names = [
        name
        for name in kept.history.folder.names("alerts")
        if name != own and name.endswith(suffix) and (shard or "-of-" not in name)
    ]
    for name in reversed(names):
        try:
            return State.model_validate_json(kept.history.folder.read(name))
        except (ValidationError, HistoryError, json.JSONDecodeError):
            LOG.warning("%s: cannot be read, so what is open is told again", name)
    return State()

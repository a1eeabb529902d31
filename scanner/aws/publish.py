"""Messages to SNS topics, and events to EventBridge buses, signed for the base identity."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from scanner.aws.base_client import BaseClient, Peer
from scanner.config.settings import ScannerConfig
from scanner.errors import OutputError

TOPIC: Final = re.compile(r"arn:aws[a-z-]*:sns:(?P<region>[a-z0-9-]+):[0-9]{12}:[\w.-]{1,256}", re.ASCII)
BUS: Final = re.compile(
    r"arn:aws[a-z-]*:events:(?P<region>[a-z0-9-]+):[0-9]{12}:event-bus/[\w./-]{1,256}", re.ASCII
)
ENDPOINT_REMEDY: Final = "look at the ARN, and at AWS_ENDPOINT_URL if one is set"
SNS: Final = Peer(
    "sns",
    ENDPOINT_REMEDY,
    {
        "AuthorizationError": "allow sns:Publish on it to the base identity",
        "NotFound": "create the topic, or mend its ARN",
    },
)
EVENTS: Final = Peer(
    "events",
    ENDPOINT_REMEDY,
    {
        "AccessDeniedException": "allow events:PutEvents on it to the base identity",
        "ResourceNotFoundException": "create the bus, or mend its ARN",
    },
)
SOURCE: Final = "sgw-scanner"
LONGEST_SUBJECT: Final = 100


class Publisher:
    """Publishes to topics and buses; each Region's client is made when it is first used."""

    def __init__(self, config: ScannerConfig, stack: AsyncExitStack) -> None:
        self._config = config
        self._stack = stack
        self._clients: dict[tuple[str, str], BaseClient] = {}

    @classmethod
    @asynccontextmanager
    async def opened(cls, config: ScannerConfig) -> AsyncIterator["Publisher"]:
        """A publisher that closes its connections at the end."""
        async with AsyncExitStack() as stack:
            yield cls(config, stack)

    async def publish(self, topic: str, subject: str, text: str, message_id: str) -> None:
        """SNS Publish. Raises OutputError, with the remedy."""
        # SNS takes ASCII only, in one line.
        shown = re.sub(r"[^ -~]", "?", subject)[:LONGEST_SUBJECT]
        order: dict[str, Any] = (
            {"MessageGroupId": SOURCE, "MessageDeduplicationId": message_id}
            if topic.endswith(".fifo")
            else {}
        )
        client = self._client(SNS, TOPIC, topic)
        await client.call(topic, "publish", TopicArn=topic, Subject=shown, Message=text, **order)

    async def put_event(self, bus: str, detail: str) -> None:
        """EventBridge PutEvents of one entry. Raises OutputError, with the remedy, also if that entry failed."""
        entry = {"Source": SOURCE, "DetailType": f"{SOURCE} digest", "Detail": detail, "EventBusName": bus}
        answer = await self._client(EVENTS, BUS, bus).call(bus, "put_events", Entries=[entry])
        # The call succeeds even where none of its entries does.
        for result in answer.get("Entries", ()):
            if result.get("ErrorCode"):
                told = f"{result['ErrorCode']}: {result.get('ErrorMessage', '')}"
                raise OutputError(f"{bus}: {told}; {ENDPOINT_REMEDY}")
        if answer.get("FailedEntryCount"):
            raise OutputError(f"{bus}: the event was not taken; {ENDPOINT_REMEDY}")

    def _client(self, peer: Peer, form: re.Pattern[str], arn: str) -> BaseClient:
        match = form.fullmatch(arn)
        if match is None:
            raise OutputError(f"{arn}: is no ARN of {peer.service}")
        key = peer.service, match["region"]
        if key not in self._clients:
            there = replace(peer, region=match["region"])
            self._clients[key] = BaseClient(there, self._config, self._stack)
        return self._clients[key]

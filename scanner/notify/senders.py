"""Ways to deliver a message. A sender says that it was delivered, or raises DeliveryFailed."""

import hashlib
import hmac
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Protocol

import aiohttp
import anyio
from anyio import to_thread

from scanner.aws.publish import Publisher
from scanner.errors import ScannerError
from scanner.notify.message import Message

if TYPE_CHECKING:
    import apprise

LONGEST_ANSWER = 64 << 10
"""Bytes of an answer that are read; a webhook has nothing to say that matters."""
SIGNATURE = "X-Sgw-Signature"


class DeliveryFailed(Exception):
    """A message was not delivered; the text says why and holds no secret."""


class Sender(Protocol):
    """One address. `name` is how warnings call it: without any secret."""

    @property
    def name(self) -> str: ...

    async def send(self, message: Message) -> None:
        """Delivers `message`, or raises DeliveryFailed."""
        ...


class Webhook:
    """A JSON POST, signed with HMAC-SHA256 where there is a secret. No redirect is followed."""

    def __init__(self, url: str, *, name: str, secret: str | None = None, timeout: float = 10.0) -> None:
        self.name = name
        self._url = url
        self._secret = secret
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def send(self, message: Message) -> None:
        body = message.json()
        headers = {"Content-Type": "application/json"}
        if self._secret:
            headers[SIGNATURE] = "sha256=" + hmac.new(self._secret.encode(), body, hashlib.sha256).hexdigest()
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout, trust_env=True) as session,
                session.post(self._url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                await answer.content.read(LONGEST_ANSWER)
                if not 200 <= answer.status < 300:
                    raise DeliveryFailed(f"HTTP status {answer.status}")
        except TimeoutError:
            raise DeliveryFailed("no answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # The text of such an error may quote the address, and the address is the secret of most webhooks.
            raise DeliveryFailed(f"no delivery: {type(error).__name__}") from None


class Topic:
    """An SNS topic."""

    def __init__(self, arn: str, publisher: Publisher, *, timeout: float) -> None:
        self.name = arn
        self._publisher = publisher
        self._timeout = timeout

    async def send(self, message: Message) -> None:
        await _published(
            self._publisher.publish(self.name, message.subject, message.text, message.scan_id), self._timeout
        )


class Bus:
    """An EventBridge bus."""

    def __init__(self, arn: str, publisher: Publisher, *, timeout: float) -> None:
        self.name = arn
        self._publisher = publisher
        self._timeout = timeout

    async def send(self, message: Message) -> None:
        await _published(self._publisher.put_event(self.name, message.json().decode()), self._timeout)


async def _published(call: Awaitable[None], timeout: float) -> None:
    try:
        with anyio.fail_after(timeout):
            await call
    except TimeoutError:
        raise DeliveryFailed("no answer in time") from None
    except ScannerError as error:
        raise DeliveryFailed(str(error)) from None


class Apprise:
    """Any service that apprise knows, but for those of REFUSED_SCHEMES."""

    def __init__(self, url: str, *, name: str, timeout: float = 10.0) -> None:
        self.name = name
        self._url = url
        self._timeout = timeout

    async def send(self, message: Message) -> None:
        delivered = False
        with anyio.move_on_after(self._timeout) as scope:
            delivered = await to_thread.run_sync(self._send, message, abandon_on_cancel=True)
        if scope.cancelled_caught:
            raise DeliveryFailed("no answer in time")
        if not delivered:
            raise DeliveryFailed("the service did not take the message")

    def _send(self, message: Message) -> bool:
        import apprise

        kind = apprise.NotifyType.WARNING if message.wrong else apprise.NotifyType.SUCCESS
        service = apprise.Apprise(asset=asset())
        return bool(
            service.add(self._url)
            and service.notify(
                body=message.text,
                title=message.subject,
                notify_type=kind,
                body_format=apprise.NotifyFormat.TEXT,
            )
        )


def asset() -> "apprise.AppriseAsset":
    """How apprise behaves here: it follows no redirect, and keeps nothing on the disk."""
    import apprise

    return apprise.AppriseAsset(
        http_redirects=False, storage_mode=apprise.PersistentStoreMode.MEMORY, secure_logging=True
    )

"""All connections of one Scanner: trusted, bounded, and shared by every Region and account."""

import asyncio
import resource
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any
from weakref import WeakSet

import aiohttp
import anyio
from botocore.httpsession import get_cert_path
from yarl import URL

from scanner.aws.resolver import Resolver
from scanner.aws.sdk.connector import Connector

LONGEST_BODY = 32 << 20
"""Bytes. A page of a hundred gateways has some 50,000; an endless one would fill memory."""
FILES_LEFT = 48
"""File descriptors that are not for connections: outputs, logs, the event loop, the caller's own."""
SPARE_CONNECTIONS = 4
"""Beside those of the scan's calls: for credentials."""
LOOK_UP_SHARE = 0.9
"""Of the time for connecting: a name that is not resolved is told as such, and not as a slow connection."""
KEPT_ALIVE = 12.0
"""Seconds; AWS closes idle connections after some twenty."""


class TooLongError(Exception):
    """An answer that is longer than any of the service's."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom to trust: files of certificates, and what we show of ourselves. None of them switches checks off.

    `bundle` None: the SDK's default. `proxy_bundle` and `proxy_certificate` are for the connection to a proxy.
    """

    bundle: str | None = None
    certificate: tuple[str, str | None] | None = None
    proxy_bundle: str | None = None
    proxy_certificate: tuple[str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """How to reach a URL: through which proxy, whose URL may hold a user name, and whom to trust on the way."""

    trust: Trust = Trust()
    proxy: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that has come in whole; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    raw_headers: Any = None
    url: Any = None

    async def read(self) -> bytes:
        """The body, as the SDK asks for it."""
        return self.body


def most_connections(wanted: int) -> int:
    """How many of `wanted` connections a scan may have open at once, beside a few for credentials."""
    return int(max(1, min(wanted, _room() - SPARE_CONNECTIONS)))


def _room() -> float:
    """How many connections this process may still open, by its limit of open files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return inf
    # Under a very low limit, half of it: the rest of the process needs some, too.
    return max(soft - FILES_LEFT, soft // 2) - sum(each.limit for each in _open)


class Connections:
    """One pool of connections, whoever is trusted on the way. `limit` bounds them, idle ones included.

    All pools of a process stay within its limit of open files together; each may have one connection at least.

    No redirect is followed, as the service redirects nobody and no other host must see the token. Certificates
    and host names are verified on every connection, to proxies and through them too.
    """

    def __init__(self, *, connect_timeout: float, read_timeout: float, limit: int) -> None:
        self._timeout = aiohttp.ClientTimeout(sock_connect=connect_timeout, sock_read=read_timeout)
        self._connect_timeout = connect_timeout
        self._session: aiohttp.ClientSession | None = None
        self._contexts: dict[Trust, ssl.SSLContext] = {}
        self._proxy_contexts: dict[ssl.SSLContext, ssl.SSLContext] = {}
        self.limit = int(max(1, min(limit, _room())))
        _open.add(self)

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Any,
        route: Route,
        *,
        chunked: bool | None = None,
    ) -> Reply:
        """Sends one request and takes in the whole answer; raises what aiohttp raises, and TooLongError."""
        async with self._opened().request(
            method,
            URL(url, encoded=True),
            headers=headers,
            data=body,
            chunked=chunked,
            proxy=route.proxy,
            ssl=self.context(route.trust),
            allow_redirects=False,
        ) as answer:
            length = answer.content_length
            if length is not None and length <= LONGEST_BODY:
                content = await answer.read()
            else:
                content = await _bounded(answer)
            found = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(answer.status, found, content, answer.raw_headers, answer.url)

    async def close(self) -> None:
        """Closes every connection, even when all is cancelled."""
        session, self._session = self._session, None
        _open.discard(self)
        if session:
            # A task may be cancelled without a scope, too.
            with anyio.CancelScope(shield=True):
                await asyncio.shield(session.close())

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = Connector(
                limit=self.limit,
                proxy_contexts=self._proxy_contexts,
                keepalive_timeout=KEPT_ALIVE,
                resolver=Resolver(self._connect_timeout * LOOK_UP_SHARE),
                ttl_dns_cache=30,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=self._timeout,
                skip_auto_headers={"CONTENT-TYPE", "User-Agent", "Accept", "Accept-Encoding"},
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session

    def context(self, trust: Trust) -> ssl.SSLContext:
        """What verifies the services; each is made once, as that takes 25 ms and a megabyte."""
        if trust not in self._contexts:
            made = self._contexts[trust] = _context(trust.bundle, trust.certificate)
            towards_proxy = trust.proxy_bundle or trust.bundle, trust.proxy_certificate
            same = towards_proxy == (trust.bundle, trust.certificate)
            self._proxy_contexts[made] = made if same else _context(*towards_proxy)
        return self._contexts[trust]


_open: WeakSet[Connections] = WeakSet()
"""The pools of this process that have not been closed."""


def _context(bundle: str | None, certificate: tuple[str, str | None] | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=bundle or get_cert_path(True))
    if certificate:
        context.load_cert_chain(*certificate)
    return context


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in answer.content.iter_any():
        body += piece
        if len(body) > LONGEST_BODY:
            answer.close()
            raise TooLongError(f"the answer is longer than {LONGEST_BODY >> 20} MiB")
    return bytes(body)

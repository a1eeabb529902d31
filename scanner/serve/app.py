"""The HTTP application: every answer is made of the last scan, none of them starts one."""

import asyncio
import re
from datetime import UTC
from functools import partial
from html import escape

from aiohttp import web
from aiohttp.typedefs import Handler

from scanner.serve.snapshot import PATHS, Document
from scanner.serve.state import State

STATE = web.AppKey("state", State)
STALE = "X-Sgw-Stale-Since"
ETAG_ANY, GZIPPED = "*", "-gzip"
PART = 1 << 20
"""Bytes that are sent at once."""
SLOWEST = 60.0
"""Seconds in which a reader must have taken an answer."""
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


@web.middleware
async def only_loopback(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses a request whose Host is another name: a page on the Internet may have given it this address."""
    name = request.host.rpartition(":")[0] if request.host.rpartition(":")[2].isdigit() else request.host
    if name not in LOOPBACK:
        return web.Response(status=421, text="this server answers to localhost only\n", headers=SAFE)
    return await handler(request)


def application(state: State, *, loopback: bool = False) -> web.Application:
    """An aiohttp application that serves `state`; mount it in a service of your own, or run it alone.

    `loopback`: only requests to localhost are answered.
    """
    app = web.Application(middlewares=[only_loopback] if loopback else [], client_max_size=1)
    app[STATE] = state
    for path in PATHS:
        app.router.add_get(path, partial(_document, path))
    app.router.add_get("/healthz", _alive)
    app.router.add_get("/readyz", _ready)
    app.router.add_get("/", _landing)
    return app


async def _document(path: str, request: web.Request) -> web.StreamResponse:
    state = request.app[STATE]
    if state.last is None:
        return _not_yet(state)
    document = state.last.documents.get(path)
    if document is None:
        return web.Response(status=501, text=state.last.missing[path] + "\n", headers=SAFE)
    return await _answer(request, document, state)


async def _answer(request: web.Request, document: Document, state: State) -> web.StreamResponse:
    compressed = accepts_gzip(request.headers.get("Accept-Encoding", ""))
    headers = {**SAFE, "ETag": f'"{document.tag}{GZIPPED if compressed else ""}"', "Vary": "Accept-Encoding"}
    if state.last_failed:
        headers[STALE] = state.last_failed.isoformat()
    if any(
        tag.value in (ETAG_ANY, document.tag, document.tag + GZIPPED) for tag in request.if_none_match or ()
    ):
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = document.media_type
    if compressed:
        headers["Content-Encoding"] = "gzip"
    return await _send(request, document.compressed if compressed else document.plain, headers)


async def _send(request: web.Request, body: bytes, headers: dict[str, str]) -> web.StreamResponse:
    """Sends `body` at the speed of its reader, who does not hold a copy of it meanwhile, nor for ever."""
    response = web.StreamResponse(headers=headers)
    response.content_length = len(body)
    await response.prepare(request)
    try:
        async with asyncio.timeout(SLOWEST):
            if request.method != "HEAD":
                for start in range(0, len(body), PART):
                    await response.write(body[start : start + PART])
            await response.write_eof()
    except TimeoutError:
        if request.transport:
            request.transport.abort()
    return response


def accepts_gzip(header: str) -> bool:
    """Whether `header`, an Accept-Encoding, lets an answer be compressed: by gzip named, else by `*`."""
    weights = dict[str, float]()
    for part in header.lower().split(","):
        name, _, parameters = part.partition(";")
        weight = parameters.replace(" ", "").removeprefix("q=")
        weights[name.strip()] = 0.0 if re.fullmatch(r"0(\.0*)?", weight) else 1.0
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _not_yet(state: State) -> web.Response:
    wait = max(1, min(int(state.every.total_seconds()), 60))
    text = "the first scan has not ended yet\n"
    return web.Response(status=503, text=text, headers={**SAFE, "Retry-After": str(wait)})


async def _alive(request: web.Request) -> web.Response:
    return web.Response(text="alive\n", headers=SAFE)


async def _ready(request: web.Request) -> web.Response:
    state = request.app[STATE]
    age = state.age()
    if state.last is None:
        return _not_yet(state)
    text = "no scan has read anything yet\n"
    if age is not None:
        text = f"the last good scan ended {age.total_seconds():.0f} s ago\n"
    return web.Response(status=200 if state.ready() else 503, text=text, headers=SAFE)


async def _landing(request: web.Request) -> web.Response:
    state = request.app[STATE]
    status = "The first scan has not ended yet."
    if state.last:
        ended = state.last.finished_at.astimezone(UTC)
        status = f"This is the scan that ended at {ended:%Y-%m-%d %H:%M:%S} UTC: {state.last.outcome.value}."
    if state.last_failed:
        status += f" The scan of {state.last_failed.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC read nothing."
    # Relative, for the application may be mounted below a path.
    links = "".join(f'<li><a href=".{path}">{path}</a></li>' for path in (*PATHS, "/healthz", "/readyz"))
    body = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>sgw-scanner</title>'
        f"<h1>sgw-scanner</h1><p>{escape(status)}</p><ul>{links}</ul></html>\n"
    )
    return web.Response(text=body, content_type="text/html", headers=SAFE)

"""The HTTP application: every answer is made of the last scan, none of them starts one."""

from datetime import UTC
from html import escape

from aiohttp import web
from aiohttp.typedefs import Handler

from scanner.serve.snapshot import PATHS, Document
from scanner.serve.state import State

STATE = web.AppKey("state", State)
STALE = "X-Sgw-Stale-Since"
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
        app.router.add_get(path, _document)
    app.router.add_get("/healthz", _alive)
    app.router.add_get("/readyz", _ready)
    app.router.add_get("/", _landing)
    return app


async def _document(request: web.Request) -> web.Response:
    state = request.app[STATE]
    if state.good is None:
        return _not_yet(state)
    document = state.good.documents.get(request.path)
    if document is None:
        return web.Response(status=501, text=state.good.missing[request.path] + "\n", headers=SAFE)
    return _answer(request, document, state)


def _answer(request: web.Request, document: Document, state: State) -> web.Response:
    headers = {**SAFE, "ETag": document.etag, "Vary": "Accept-Encoding"}
    if state.last_failed:
        headers[STALE] = state.last_failed.isoformat()
    if document.etag in (tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")):
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = document.media_type
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return web.Response(body=document.compressed, headers=headers)
    return web.Response(body=document.plain, headers=headers)


def _not_yet(state: State) -> web.Response:
    wait = max(1, min(int(state.every.total_seconds()), 60))
    text = "the first scan has not ended yet\n"
    return web.Response(status=503, text=text, headers={**SAFE, "Retry-After": str(wait)})


async def _alive(request: web.Request) -> web.Response:
    return web.Response(text="alive\n", headers=SAFE)


async def _ready(request: web.Request) -> web.Response:
    state = request.app[STATE]
    age = state.age()
    if age is None:
        return _not_yet(state)
    text = f"the last good scan ended {age.total_seconds():.0f} s ago\n"
    return web.Response(status=200 if state.ready() else 503, text=text, headers=SAFE)


async def _landing(request: web.Request) -> web.Response:
    state = request.app[STATE]
    status = "The first scan has not ended yet."
    if state.good:
        ended = state.good.finished_at.astimezone(UTC)
        status = f"The last good scan ended at {ended:%Y-%m-%d %H:%M:%S} UTC: {state.good.outcome.value}."
    if state.last_failed:
        status += f" The scan of {state.last_failed.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC read nothing."
    links = "".join(f'<li><a href="{path}">{path}</a></li>' for path in (*PATHS, "/healthz", "/readyz"))
    body = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>sgw-scanner</title>'
        f"<h1>sgw-scanner</h1><p>{escape(status)}</p><ul>{links}</ul></html>\n"
    )
    return web.Response(text=body, content_type="text/html", headers=SAFE)

"""How an answer reaches the client: whole, or in the ways that networks have."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from aiohttp import web

from .door import reset
from .faults import Fault
from .wire import Reply


class _Sent(web.Response):
    """Stands for an answer that was written by hand, or never will be."""

    async def prepare(self, request: web.BaseRequest) -> None:
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        return None


def whole(reply: Reply) -> web.Response:
    """The answer as it should be."""
    headers = {**reply.headers, "Content-Type": reply.content_type}
    return web.Response(status=reply.status, body=reply.body, headers=headers)


async def deliver(fault: Fault, request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """The answer as the fault has it."""
    if fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
        return whole(reply)
    transport = request.transport
    if transport is None or fault.kind == "refuse":
        # Nobody is there any more, or was reset with all others when the door was shut.
        return _Sent()
    half = len(reply.body) // 2
    head = _head(reply)
    if fault.kind == "hang":
        await asyncio.sleep(fault.seconds)
    elif fault.kind == "reset_before_headers":
        reset(transport)
    elif fault.kind == "reset_within_headers":
        transport.write(head[: len(head) // 2])
        await _settle()
        reset(transport)
    elif fault.kind == "reset_after_headers":
        transport.write(head)
        await _settle()
        reset(transport)
    elif fault.kind == "cut_body":
        transport.write(head + reply.body[:half])
    elif fault.kind == "hang_body":
        transport.write(head + reply.body[:half])
        await asyncio.sleep(fault.seconds)
    elif fault.kind == "trickle":
        await _trickle(transport, head, reply.body, fault.seconds)
    transport.close()
    return _Sent()


async def _trickle(transport: asyncio.Transport, head: bytes, body: bytes, seconds: float) -> None:
    """Spreads the body over that many seconds, byte by byte."""
    transport.write(head)
    pause = seconds / max(1, len(body))
    for position in range(len(body)):
        if transport.is_closing():
            return
        await asyncio.sleep(pause)
        transport.write(body[position : position + 1])


async def _settle() -> None:
    # What was written leaves at once on loopback; one turn of the loop keeps it apart from the reset.
    await asyncio.sleep(0.01)


def _head(reply: Reply) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
    headers = {
        **reply.headers,
        "Content-Type": reply.content_type,
        "Content-Length": str(len(reply.body)),
    }
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()

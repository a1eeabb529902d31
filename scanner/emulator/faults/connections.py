"""How a response reaches the client: whole, or broken as networks break it."""

from __future__ import annotations

import asyncio
import socket
import struct
from http import HTTPStatus

from aiohttp import web

from ..fleets.faults import Fault
from ..protocol.serializer import HttpResponse

_NO_LINGER = struct.pack("ii", 1, 0)


def reset(transport: asyncio.Transport) -> None:
    """Ends a connection with RST instead of FIN, unless it has ended already."""
    if transport.is_closing():
        return
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()


class _AlreadySent(web.Response):
    """Stands for a response that was written to the transport, or never will be."""

    async def prepare(self, request: web.BaseRequest) -> None:
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        return None


def send_whole(response: HttpResponse) -> web.Response:
    """The response as it should be."""
    headers = {**response.headers, "Content-Type": response.content_type}
    return web.Response(status=response.status, body=response.body, headers=headers)


async def send_broken(fault: Fault, request: web.BaseRequest, response: HttpResponse) -> web.StreamResponse:
    """The response as the fault has it."""
    if fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
        return send_whole(response)
    transport = request.transport
    if transport is None or fault.kind == "refuse":
        # The client has gone, or was reset with all others when the listener stopped.
        return _AlreadySent()
    half = len(response.body) // 2
    head = _head(response)
    if fault.kind == "hang":
        await asyncio.sleep(fault.seconds)
    elif fault.kind == "reset_before_headers":
        reset(transport)
    elif fault.kind == "reset_within_headers":
        transport.write(head[: len(head) // 2])
        await _flush()
        reset(transport)
    elif fault.kind == "reset_after_headers":
        transport.write(head)
        await _flush()
        reset(transport)
    elif fault.kind == "cut_body":
        transport.write(head + response.body[:half])
    elif fault.kind == "hang_body":
        transport.write(head + response.body[:half])
        await asyncio.sleep(fault.seconds)
    elif fault.kind == "trickle":
        await _trickle(transport, head, response.body, fault.seconds)
    transport.close()
    return _AlreadySent()


async def _trickle(transport: asyncio.Transport, head: bytes, body: bytes, seconds: float) -> None:
    """Spreads the body over that many seconds, byte by byte."""
    transport.write(head)
    pause = seconds / max(1, len(body))
    for position in range(len(body)):
        if transport.is_closing():
            return
        await asyncio.sleep(pause)
        transport.write(body[position : position + 1])


async def _flush() -> None:
    # What was written leaves at once on loopback; one turn of the loop keeps it apart from the reset.
    await asyncio.sleep(0.01)


def _head(response: HttpResponse) -> bytes:
    lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
    headers = {
        **response.headers,
        "Content-Type": response.content_type,
        "Content-Length": str(len(response.body)),
    }
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()

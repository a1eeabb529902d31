"""A FastAPI service that scans on request: `uvicorn service:app`. One Scanner is shared by all requests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from scanner import Inventory, Scanner, ScannerConfig


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with Scanner(ScannerConfig.load()) as scanner:
        app.state.scanner = scanner
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/inventory")
async def inventory(request: Request) -> Inventory:
    scanner: Scanner = request.app.state.scanner
    return await scanner.scan()


@app.get("/events")
async def events(request: Request) -> StreamingResponse:
    """The kind of each event as it happens, a line each. A client that goes away ends its scan."""
    scanner: Scanner = request.app.state.scanner

    async def lines() -> AsyncIterator[str]:
        async with scanner.stream() as stream:
            async for event in stream:
                yield type(event).__name__ + "\n"

    return StreamingResponse(lines(), media_type="text/plain")

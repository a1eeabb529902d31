"""A FastAPI service that scans again and again: `uvicorn service:app`. One Scanner is shared by all requests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import StreamingResponse

from scanner import Inventory, Scanner, ScannerConfig

EVERY = timedelta(minutes=15)


async def keep_scanning(app: FastAPI, scanner: Scanner) -> None:
    async with aclosing(scanner.watch(EVERY)) as inventories:
        async for inventory in inventories:
            app.state.inventory = inventory


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.inventory = None
    async with Scanner(ScannerConfig.load()) as scanner, asyncio.TaskGroup() as tasks:
        app.state.scanner = scanner
        scanning = tasks.create_task(keep_scanning(app, scanner))
        yield
        scanning.cancel()


app = FastAPI(lifespan=lifespan)


@app.get("/inventory")
async def inventory(request: Request) -> Inventory:
    """The last scan; no request starts one."""
    last: Inventory | None = request.app.state.inventory
    if last is None:
        raise HTTPException(503, "the first scan has not ended yet", headers={"Retry-After": "10"})
    return last


@app.get("/events")
async def events(request: Request) -> StreamingResponse:
    """The kind of each event of a scan as it happens, a line each. A client that goes away ends its scan."""
    scanner: Scanner = request.app.state.scanner

    async def lines() -> AsyncIterator[str]:
        async with scanner.stream() as stream:
            async for event in stream:
                yield type(event).__name__ + "\n"

    return StreamingResponse(lines(), media_type="text/plain")

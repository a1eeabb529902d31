"""An aiohttp service with the answers of `serve` below /backups: `python aiohttp_service.py`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from datetime import timedelta

from aiohttp import web

from scanner import Scanner, ScannerConfig
from scanner.serve import State, application

EVERY = timedelta(minutes=15)


async def keep_scanning(state: State) -> None:
    async with (
        Scanner(ScannerConfig.load()) as scanner,
        aclosing(scanner.watch(state.every)) as inventories,
    ):
        async for inventory in inventories:
            await state.take(inventory)


def service() -> web.Application:
    """/backups/metrics, /backups/inventory, /backups/page, /backups/healthz and /backups/readyz."""
    state = State(EVERY)

    async def scanning(app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(keep_scanning(state))
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    app = web.Application()
    app.add_subapp("/backups", application(state, loopback=True))
    app.cleanup_ctx.append(scanning)
    return app


if __name__ == "__main__":
    web.run_app(service(), host="127.0.0.1", port=8080)

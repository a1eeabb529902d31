"""The Dask cluster that `scan --dask ADDRESS` names."""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from ipaddress import ip_address
from typing import Any

from scanner.errors import ConfigError
from scanner.extras import install_command

CONNECT_SECONDS = 10
_ADDRESS = re.compile(
    r"(?P<scheme>tcp|tls)://(?P<host>\[[0-9a-fA-F:.]+\]|[\w.-]+):(?P<port>[0-9]{1,5})", re.ASCII
)


def check_address(address: str, *, insecure: bool = False) -> None:
    """Raises ConfigError for what is no address, and for one where anybody on the way could read and alter tasks."""
    if find_spec("distributed") is None:
        raise ConfigError(f"--dask needs distributed; install it with: {install_command('dask')}")
    found = _ADDRESS.fullmatch(address)
    if not found:
        raise ConfigError(f"--dask: {address!r} is no address; write tls://host:8786 or tcp://host:8786")
    if found["scheme"] == "tcp" and not insecure and not _is_loopback(found["host"].strip("[]")):
        raise ConfigError(
            f"--dask: {address}: whoever reaches this scheduler runs code on its workers, with their credentials;"
            " use tls://, or say --insecure where the network lets nobody else in"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[Any]:
    """A client of the scheduler at `address`, with the certificates of Dask's own settings. Raises ConfigError."""
    import distributed

    _take_in_logs()
    client_of: Any = distributed.Client
    try:
        client = await client_of(address, asynchronous=True, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        cause = "nobody listens there" if isinstance(error, OSError) else str(error)
        raise ConfigError(
            f"--dask: {address}: {cause}; start `dask scheduler` there, and see that tls:// has its certificates"
        ) from None
    async with client:
        yield client


def _take_in_logs() -> None:
    """Has Dask's log lines go where all others do: it gives its loggers handlers of their own."""
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if name.partition(".")[0] in ("distributed", "tornado", "bokeh") and isinstance(
            logger, logging.Logger
        ):
            logger.handlers.clear()
            logger.propagate = True

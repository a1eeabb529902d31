"""A ping when a scan starts and when it ends: healthchecks.io's and Cronitor's forms."""

import logging
import uuid
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

import aiohttp
import anyio

LOG = logging.getLogger("scanner")
TRIES: Final = 3
PATIENCE: Final = 5.0
"""Seconds for one try."""
PAUSE: Final = 0.5
LONGEST_BODY: Final = 100_000
"""Bytes; healthchecks.io takes no more."""
CRONITOR: Final = frozenset({"cronitor.link", "cronitor.io"})


class Heartbeat:
    """Pings one address, for one run. A ping that fails is a warning and changes nothing else.

    The address is secret: no log and no repr holds it.
    """

    def __init__(self, url: str, run_id: str | None = None) -> None:
        self._url = url
        self._run_id = run_id or str(uuid.uuid4())
        self._cronitor = urlsplit(url).hostname in CRONITOR

    async def started(self) -> None:
        """Says that the run begins."""
        await self._told("start", b"")

    async def ended(self, status: int, summary: str) -> None:
        """`status` is the exit status that counts; `summary` goes along as the body."""
        await self._told(str(status), summary.encode()[:LONGEST_BODY])

    def address(self, moment: str) -> str:
        """Where to ping: `moment` is `start` or an exit status."""
        parts = urlsplit(self._url)
        if self._cronitor:
            state = "run" if moment == "start" else "complete" if moment == "0" else "fail"
            query = {"state": state, "series": self._run_id}
            if moment != "start":
                query["status_code"] = moment
            path = parts.path
        else:
            query, path = {"rid": self._run_id}, f"{parts.path.rstrip('/')}/{moment}"
        joined = "&".join(filter(None, (parts.query, urlencode(query))))
        return urlunsplit((parts.scheme, parts.netloc, path, joined, ""))

    async def _told(self, moment: str, body: bytes) -> None:
        why = await self.ping(moment, body)
        if why:
            LOG.warning("the heartbeat %r did not get through: %s", moment, why)

    async def ping(self, moment: str, body: bytes) -> str | None:
        """Pings once, in a few tries; says why it did not get through, or None."""
        why = None
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        for attempt in range(TRIES):
            if attempt:
                await anyio.sleep(PAUSE * attempt)
            try:
                async with (
                    aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
                    session.post(self.address(moment), data=body, allow_redirects=False) as answer,
                ):
                    if answer.status < 300:
                        return None
                    why = f"HTTP status {answer.status}"
            except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
                # The text of such an error may quote the address.
                why = type(error).__name__
        return why

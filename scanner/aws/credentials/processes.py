"""The processes that print credentials: ended with what they have started, whatever becomes of whoever waits."""

import asyncio
import os
import signal
from contextlib import suppress
from typing import Any

import anyio

NO_COMMAND = "credential_process names no command"
GONE_WITHIN = 0.5
"""Seconds that a killed process has until nobody waits for it any more."""


class Processes:
    """The processes of one profile."""

    def __init__(self) -> None:
        self._begun: list[asyncio.subprocess.Process] = []

    async def start(self, *command: str, **pipes: Any) -> asyncio.subprocess.Process:
        """Starts a process as asyncio does; raises OSError, which names it."""
        if not command:
            raise ValueError(NO_COMMAND)
        # Where nobody could be asked for anything, what the process starts can be ended with it.
        alone = not os.isatty(0)
        # One that has begun must be known before anything else may happen, or nobody would end it.
        with anyio.CancelScope(shield=True):
            try:
                process = await asyncio.create_subprocess_exec(*command, **pipes, start_new_session=alone)
            except OSError as error:
                # uvloop does not say which file it was.
                raise type(error)(error.errno, error.strerror, command[0]) from None
        self._begun.append(process)
        return process

    async def end(self) -> None:
        """Ends every process that has begun, and frees its pipes."""
        begun, self._begun = self._begun, []
        for process in begun:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    if os.getpgid(process.pid) == process.pid:
                        os.killpg(process.pid, signal.SIGKILL)
                    else:
                        process.kill()
                # Killed is not yet gone, and a loop that ends before would never hear of it.
                with anyio.move_on_after(GONE_WITHIN, shield=True):
                    await process.wait()
            # What the process has started may hold the pipes open for as long as it likes.
            process._transport.close()  # type: ignore[attr-defined]

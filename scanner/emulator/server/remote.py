"""An emulator in a process of its own, and how to talk to it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from .control import PREFIX
from .environment import environment


class Remote:
    """An emulator of which only the address is known."""

    def __init__(self, url: str) -> None:
        self.url = url

    def environment(self, region: str = "us-east-1") -> dict[str, str]:
        """What an AWS client needs in its environment to talk to this fleet and nothing else."""
        return environment(self.url, region)

    def stats(self) -> dict[str, Any]:
        """The counts, as `Emulator.stats` has them."""
        return self._call("GET", "stats")

    def reset(self) -> None:
        """Counts from zero again."""
        self._call("DELETE", "stats")

    def add_fault(self, kind: str, **rule: Any) -> None:
        """Puts a fault in force; raises ValueError if there is none such."""
        self._call("POST", "faults", {"kind": kind, **rule})

    def clear_faults(self) -> None:
        """Removes all fault rules."""
        self._call("DELETE", "faults")

    def _call(self, method: str, name: str, content: Mapping[str, Any] | None = None) -> dict[str, Any]:
        body = None if content is None else json.dumps(content).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        request = Request(self.url + PREFIX + name, body, headers, method=method)
        try:
            with urlopen(request, timeout=30) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except HTTPError as error:
            with error:
                raise ValueError(json.load(error)["message"]) from None


@contextmanager
def spawn(*arguments: str) -> Iterator[Remote]:
    """An emulator in a process of its own, with the arguments of `python -m scanner.emulator`.

    RuntimeError if it did not start; why stands on stderr.
    """
    command = [sys.executable, "-m", "scanner.emulator", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            # One line on its stdout: the address, as soon as clients may come.
            url = process.stdout.readline().strip() if process.stdout is not None else ""
            if not url:
                raise RuntimeError(f"the emulator ended with {process.wait(30)}")
            yield Remote(url)
        finally:
            process.terminate()

"""`serve` as a user types it."""

import json
from collections.abc import Callable

import pytest

from tests.cli.conftest import Command


@pytest.mark.parametrize("format", ["text", "json"])
def test_where_it_listens_is_told_in_the_form_of_the_log(
    command: Command, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    async def listen(*anything: object, ready: Callable[[int], None], **more: object) -> None:
        ready(9753)

    monkeypatch.setattr("scanner.serve.serve", listen)
    (line,) = command("serve", "--log-format", format).err.splitlines()
    if format == "text":
        assert line == "Listening on http://127.0.0.1:9753"
    else:
        told = json.loads(line)
        assert (told["event"], told["url"]) == ("listening", "http://127.0.0.1:9753")


def test_what_is_wrong_is_told_in_the_form_of_the_log(command: Command) -> None:
    said = command("serve", "--log-format", "json", "--every", "never")
    (line,) = map(json.loads, said.err.splitlines())
    assert said.code == line["exit_code"] == 2
    assert line["error"].startswith("--every: ")

"""Every way in which the SDK gets credentials, good and bad.

A bad one fails its account once, with cause and remedy and without a secret; the one beside it is scanned.
"""

import asyncio
import getpass
import json
import os
import shlex
from pathlib import Path
from typing import Any

import pytest

from scanner import Scanner
from scanner.aws.credentials.sessions import Sessions
from scanner.inventory.records import FailureKind
from scanner.service.errors import CallFailed
from tests.aws.profiles import (
    FUTURE,
    HEALTHY,
    HUSH,
    KEY,
    LAB,
    PAST,
    ROLE,
    SECRET,
    STATIC,
    Ground,
    opened,
    refused,
)
from tests.aws.scans import PROD, REGION, calls, config
from tests.cli.conftest import start

MEND = "mend the profile 'prod', or what it reads its credentials from"


def printing(**changes: Any) -> str:
    """A credential_process that prints keys."""
    made = {"Version": 1, "AccessKeyId": KEY, "SecretAccessKey": SECRET, **changes}
    return f"echo {shlex.quote(json.dumps(made))}"


def process(command: str) -> str:
    return f"[profile prod]\ncredential_process = {command}\n"


@pytest.mark.parametrize("changes", [{}, {"Expiration": FUTURE}])
async def test_a_credential_process_opens_its_account(here: Ground, changes: dict[str, Any]) -> None:
    opened(await here.scan(process(printing(**changes))))


@pytest.mark.parametrize(
    ("command", "cause"),
    [
        ("echo hello", "what came is no JSON"),
        ("echo []", "they came in another form than the SDK reads"),
        ("echo 'hush", "No closing quotation"),
        ("", "credential_process names no command"),
        (printing(Expiration="tomorrow"), "their Expiration is no time"),
        (printing(Expiration=1_700_000_000), "they came in another form"),
        (printing(Expiration="2099-01-01T00:00:00"), "they came in another form"),
        (printing(Expiration=PAST), "they had expired when they came"),
        (printing(Version=2), "Unsupported version '2'"),
        (printing(SecretAccessKey=None), "lack the access key or its secret"),
        ('echo {\\"Version\\": 1}', "Missing required key in response: 'AccessKeyId'"),
        ("/nowhere/at-all", "/nowhere/at-all: No such file or directory"),
        ("/", "/: Permission denied"),
        ("sh -c 'echo sealed >&2; exit 3'", "custom-process: sealed"),
        ("false", "credential_process failed without a word"),
    ],
)
async def test_a_credential_process_that_prints_no_keys_is_told_with_what_was_wrong(
    here: Ground, command: str, cause: str
) -> None:
    refused(await here.scan(process(command)), cause, MEND)


@pytest.fixture
def hanging(here: Ground) -> tuple[str, Path]:
    """A process that starts another and does not end, and the pipe whose other end both hold open."""
    pipe = here.folder / "pipe"
    os.mkfifo(pipe)
    here.patch.setattr(os, "isatty", lambda _: False)
    return process(f"sh -c 'exec 9> {pipe}; echo begun >&9; sleep 30; echo'"), pipe


async def test_a_credential_process_that_hangs_is_ended_after_the_call_timeout(
    here: Ground, hanging: tuple[str, Path]
) -> None:
    """The process itself and what it has started, not only the waiting for it."""
    text, pipe = hanging
    held = asyncio.create_task(asyncio.to_thread(pipe.read_text))
    found = await here.scan(text, timeout="2s")
    refused(found, r"did not come within 2 s \(scan.call_timeout\)", MEND)
    assert await asyncio.wait_for(held, 10) == "begun\n"


async def test_a_scan_that_is_cancelled_ends_its_credential_process(
    here: Ground, hanging: tuple[str, Path]
) -> None:
    text, pipe = hanging
    scan = asyncio.create_task(here.scan(text))
    with await asyncio.to_thread(pipe.open) as held:
        assert await asyncio.to_thread(held.readline) == "begun\n"
        scan.cancel()
        with pytest.raises(asyncio.CancelledError):
            await scan
        assert await asyncio.wait_for(asyncio.to_thread(held.read), 10) == ""


async def test_all_who_want_a_profile_share_one_run_of_its_process(here: Ground) -> None:
    """One account may be scanned with the base identity as it is, while it assumes the roles of others."""
    runs = here.folder / "runs"
    program = here.write("program", f"echo run >> {runs}\n{printing()}\n")
    here.patch.setenv("AWS_CONFIG_FILE", here.write("config", process(f"sh {program}")))
    settings = config(
        {"id": PROD, "profile": "prod"}, {"id": LAB, "role": "scan"}, credentials={"profile": "prod"}
    )
    async with Scanner(settings) as scanner:
        await scanner.scan()
        await scanner.scan()
    assert runs.read_text().split() == ["run"]


async def test_all_who_want_a_profile_that_hangs_wait_for_it_once(
    here: Ground, hanging: tuple[str, Path]
) -> None:
    text, pipe = hanging
    here.patch.setenv("AWS_CONFIG_FILE", here.write("config", text))
    held = asyncio.create_task(asyncio.to_thread(pipe.read_text))
    accounts = [{"id": f"{number:012d}", "role": "scan"} for number in range(1, 9)]
    settings = config(*accounts, credentials={"profile": "prod"}, scan={"call_timeout": "500ms"})
    async with Scanner(settings) as scanner:
        found = await scanner.scan()
    assert {failure.kind for failure in found.failures} == {FailureKind.CREDENTIALS}
    assert len(found.failures) == 8
    assert await asyncio.wait_for(held, 10) == "begun\n"


async def test_at_a_terminal_a_process_may_still_ask_there_and_is_ended_all_the_same(
    here: Ground, hanging: tuple[str, Path]
) -> None:
    """In a session of its own it would have no terminal."""
    text, pipe = hanging
    here.patch.setattr(os, "isatty", lambda _: True)
    text = text.replace("begun", "$(ps -o sid= -p $$)").replace("sleep 30; echo", "exec sleep 30")
    here.patch.setenv("AWS_CONFIG_FILE", here.write("config", text))
    held = asyncio.create_task(asyncio.to_thread(pipe.read_text))
    with pytest.raises(CallFailed, match="did not come within"):
        await Sessions("prod", {}, 0.5).obtain(None)
    assert int(await asyncio.wait_for(held, 10)) == os.getsid(0)


async def test_keys_that_something_else_renewed_are_read_when_the_old_ones_have_expired(here: Ground) -> None:
    async def renew() -> None:
        keys = (f"{name} = {value}\n" for name, value in (await here.issued()).items())
        here.patch.setenv("AWS_CONFIG_FILE", here.write("config", f"[profile prod]\n{''.join(keys)}"))

    await renew()
    async with Scanner(config({"id": PROD, "profile": "prod"})) as scanner:
        assert not (await scanner.scan()).failures
        for session in here.emulator.sessions.values():
            session.expires_at = 0
        await renew()
        assert not (await scanner.scan()).failures


SOURCE = f"[profile prod]\nrole_arn = {ROLE}\nsource_profile = start\n"


async def test_a_profile_may_take_its_role_with_the_keys_of_another(here: Ground) -> None:
    opened(await here.scan(f"{SOURCE}[profile start]\n{STATIC}"))
    assert calls(here.emulator, "AssumeRole") == 1


@pytest.mark.parametrize(
    ("text", "cause", "remedy"),
    [
        (SOURCE, 'source_profile "start" referenced in the profile "prod" does not exist', MEND),
        (f"{SOURCE}[profile start]\nregion = us-east-1\n", 'profile "start" must have credentials', MEND),
        (
            f"{SOURCE}[profile start]\nrole_arn = {ROLE}\nsource_profile = prod\n",
            "Infinite loop in credential configuration",
            MEND,
        ),
        (
            f"{SOURCE}[profile start]\n{STATIC.replace(SECRET, 'hush-another')}",
            "request signature we calculated does not match",
            MEND,
        ),
        (f"{SOURCE}[profile start]\n{STATIC.replace(KEY, 'AKIANOBODY')}", "token .* is invalid", MEND),
        (
            SOURCE.replace("source_profile = start\n", ""),
            "missing: source_profile or credential_source",
            MEND,
        ),
        (
            SOURCE.replace("source_profile = start", "credential_source = Moon"),
            '"Moon" .* is not valid',
            MEND,
        ),
        (f"[profile prod]\naws_access_key_id = {KEY}\n", "missing: aws_secret_access_key", MEND),
        (
            f"{SOURCE.replace('/scan', '/guarded')}external_id = hush-wrong-id\n[profile start]\n{STATIC}",
            "is not authorized to perform: sts:AssumeRole on resource: .*role/guarded",
            "trust policy must name the identity that assumes it, with the profile's external_id",
        ),
        (
            "[profile prod]\nregion = us-east-1\n",
            "the profile 'prod' has no credentials",
            "aws configure --p",
        ),
    ],
)
async def test_a_profile_that_leads_nowhere_is_told_with_the_place_where_it_breaks(
    here: Ground, text: str, cause: str, remedy: str
) -> None:
    refused(await here.scan(text), cause, remedy)


async def test_a_profile_with_mfa_never_asks_anybody(here: Ground) -> None:
    def never(*words: object) -> str:
        pytest.fail(f"asked: {words}")

    here.patch.setattr(getpass, "getpass", never)
    here.patch.setattr("builtins.input", never)
    text = f"{SOURCE}mfa_serial = arn:aws:iam::{PROD}:mfa/me\n[profile start]\n{STATIC}"
    remedy = "`aws configure export-credentials --profile prod --format env` .* scan with those instead"
    refused(await here.scan(text), "the profile asks for an MFA code", remedy)


SCAN = f"""
scan.regions = ["{REGION}"]
lock.path = ""
accounts = [{{ id = "{PROD}", profile = "prod" }}, {{ id = "{LAB}", profile = "lab" }}]
"""


@pytest.mark.parametrize("command", [printing(Expiration=PAST), "echo []"])
async def test_the_command_line_tells_a_bad_way_in_without_a_traceback(here: Ground, command: str) -> None:
    """Nor does what the SDK logs of its own accord bring one, or a secret, onto the terminal."""
    here.patch.setenv("AWS_CONFIG_FILE", here.write("config", HEALTHY + process(command)))
    here.write("scanner.toml", SCAN)
    scan = start("--verbose", "scan", "--verbose", folder=here.folder)
    out, err = await asyncio.to_thread(scan.communicate)
    assert scan.returncode == 3, err
    assert "the credentials of the profile 'prod' cannot be read" in out
    assert "Traceback" not in out + err
    assert HUSH not in out + err


@pytest.mark.parametrize("variable", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
@pytest.mark.parametrize("spoilt", ["hush\n", "hush\x07hush", "hush hush", "hush\r\nX-Evil: 1"])
async def test_a_key_that_no_request_could_carry_is_told_by_its_variable_and_never_shown(
    here: Ground, variable: str, spoilt: str
) -> None:
    """A line break came along when it was copied; it was told as a bad address of the service."""
    here.patch.setenv("AWS_SESSION_TOKEN", "hush-token")
    here.patch.setenv(variable, spoilt)
    refused(await here.scan(role="scan"), "of the base identity holds a line break", f"mend {variable}: look")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        (
            f"[profile prod]\n{STATIC.replace(SECRET, 'hush-a hush-b')}",
            "mend aws_secret_access_key of the profile 'prod' in the configuration file",
        ),
        (process(printing(SessionToken="hush\n")), "mend what the credential_process of the profile 'prod'"),
        (
            process(printing(SecretAccessKey=["hush"])),
            "mend what the credential_process of the profile 'prod'",
        ),
    ],
)
async def test_a_key_that_no_request_could_carry_is_told_by_the_place_it_came_from(
    here: Ground, text: str, remedy: str
) -> None:
    refused(await here.scan(text), "of the profile 'prod' holds a line break", remedy)

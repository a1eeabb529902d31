"""What trips over an answer is that answer's failure; what trips before there is one is a defect, and told as one.

An SDK that is put together otherwise than the one that we know must never look like a broken network.
"""

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from scanner import Scanner, ScannerConfig
from scanner.aws.s3 import S3Bucket
from scanner.aws.sdk.http_session import HttpSession
from scanner.aws.storage_gateway import AwsService
from scanner.emulator import Emulator
from scanner.errors import OutputError
from scanner.inventory.records import FailureKind
from scanner.service.errors import CallFailed
from tests.aws.scans import account, config, environment, fleet

Patch = pytest.MonkeyPatch
Trip = Callable[[type[Exception]], None]
ERRORS = [TypeError, AttributeError, RuntimeError]


@pytest.fixture
async def emulator(monkeypatch: Patch) -> AsyncIterator[Emulator]:
    async with Emulator(fleet()) as made:
        environment(made, monkeypatch)
        yield made


@pytest.fixture
def trip_on_sending(monkeypatch: Patch) -> Trip:
    """Lets the SDK's way to our connections raise."""

    def trip(error: type[Exception]) -> None:
        async def send(self: HttpSession, request: Any) -> Any:
            raise error("an SDK of another make")

        monkeypatch.setattr(HttpSession, "send", send)

    return trip


@pytest.fixture
def trip_on_parsing(monkeypatch: Patch) -> Trip:
    """Lets the SDK's parsers raise, as they do at answers of an odd shape."""

    def trip(error: type[Exception]) -> None:
        async def parse(*_: Any) -> Any:
            raise error("an answer of another make")

        monkeypatch.setattr("aiobotocore.parsers.AioResponseParser.parse", parse)

    return trip


async def whoami() -> None:
    async with AwsService(config(account()), "test") as service:
        for step in service.sign_in_steps(None):
            await service.sign_in(step)


async def put() -> None:
    async with S3Bucket.named(["here"], ScannerConfig()) as buckets:
        await buckets["here"].put("a.json", b"{}", {})


CALLS = [whoami, put]
Call = Callable[[], Coroutine[Any, Any, None]]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("error", ERRORS)
async def test_what_breaks_before_anything_was_sent_is_a_defect(
    emulator: Emulator, trip_on_sending: Trip, call: Call, error: type[Exception]
) -> None:
    trip_on_sending(error)
    with pytest.raises(error, match="of another make"):
        await call()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("error", ERRORS)
async def test_what_breaks_over_an_answer_is_the_answers(
    emulator: Emulator, trip_on_parsing: Trip, call: Call, error: type[Exception]
) -> None:
    trip_on_parsing(error)
    with pytest.raises((CallFailed, OutputError)) as failed:
        await call()
    if isinstance(failed.value, CallFailed):
        assert failed.value.facts.kind is FailureKind.INVALID_RESPONSE
    else:
        assert "the answer is none of s3" in str(failed.value)


@pytest.mark.parametrize("error", ERRORS)
async def test_a_defect_on_the_way_to_credentials_is_not_told_as_bad_credentials(
    emulator: Emulator, trip_on_sending: Trip, error: type[Exception], tmp_path: Any, monkeypatch: Patch
) -> None:
    """Here in the STS call with which the SDK assumes the role of a profile."""
    file = tmp_path / "config"
    file.write_text(
        "[default]\nrole_arn = arn:aws:iam::111122223333:role/x\nsource_profile = default\n"
        "aws_access_key_id = test\naws_secret_access_key = test\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    trip_on_sending(error)
    with pytest.raises(error, match="of another make"):
        await whoami()


async def test_a_defect_of_the_sdk_ends_the_scan_as_one(emulator: Emulator, trip_on_sending: Trip) -> None:
    trip_on_sending(TypeError)
    async with Scanner(config(account())) as scanner:
        with pytest.raises(ExceptionGroup) as raised:
            await scanner.scan()
    assert raised.group_contains(TypeError, match="of another make")


async def test_a_key_that_cannot_be_written_is_an_error_of_the_output(emulator: Emulator) -> None:
    async with S3Bucket.named(["here"], ScannerConfig()) as buckets:
        with pytest.raises(OutputError, match="surrogates not allowed"):
            await buckets["here"].put("\udc80.json", b"{}", {})

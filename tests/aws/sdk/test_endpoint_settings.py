"""A setting with which no call could be sent is told before one is, by its name and with what would be right."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiobotocore.session import get_session

from scanner import Scanner, ScannerConfig
from scanner.aws.base_client import BaseClient
from scanner.aws.s3 import S3, S3Bucket
from scanner.aws.sdk.endpoint_settings import check_endpoint
from scanner.emulator import Emulator
from scanner.errors import OutputError
from scanner.inventory.records import Failure, FailureKind
from scanner.service.errors import CallFailed, FailureFacts
from tests.aws.scans import account, config, environment, fleet, shown

Patch = pytest.MonkeyPatch
SERVICE = "AWS_ENDPOINT_URL_STORAGE_GATEWAY"
BAD = {
    "http://h/?a=b": "query",
    "http://h/#x": "fragment",
    "http://h/a b": "space",
    " http://h": "space",
    "http://h/\x07": "control character",
    "http://h\n": "control character",
    "http://h/ä": "ASCII",
    "http://h:port": "port",
    "http://h:99999": "port",
    "http://h:0": "URL",
    "http://[::1": "host",
    "http://": "URL",
    "ftp://h": "URL",
    "localhost:4566": "URL",
    "http://user@h": "user name",
}


def fault(environ: dict[str, str], service: str = "storagegateway") -> FailureFacts | None:
    try:
        check_endpoint(get_session(), service, environ)
    except CallFailed as failure:
        return failure.facts
    return None


@pytest.mark.parametrize("url", BAD)
def test_an_endpoint_to_which_no_call_could_be_sent_is_refused_by_the_variables_name(url: str) -> None:
    facts = fault({SERVICE: url})
    assert facts is not None
    assert (facts.kind, facts.sent, facts.retryable) == (FailureKind.NETWORK, False, False)
    assert BAD[url] in facts.message
    assert facts.remedy == f"mend {SERVICE}: write https://HOST"


@pytest.mark.parametrize(
    "url", ["https://h", "http://127.0.0.1:4566", "https://[::1]:443/", "https://h/stage/%20/x"]
)
def test_an_endpoint_may_have_a_port_and_a_path(url: str) -> None:
    assert fault({SERVICE: url}) is None


def test_the_setting_that_the_sdk_reads_is_the_one_that_is_named() -> None:
    """The service's own before the one for all, and nobody else's."""
    facts = fault({"AWS_ENDPOINT_URL": "h", SERVICE: "h"})
    assert facts is not None
    assert SERVICE in (facts.remedy or "")
    assert fault({"AWS_ENDPOINT_URL": "h", SERVICE: "https://h"}) is None
    assert fault({"AWS_ENDPOINT_URL_DYNAMODB": "h"}) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("endpoint_url = h", "mend endpoint_url of the profile 'default' in ~/.aws/config"),
        ("services = gone", "mend `services` of the profile"),
        ("services = ours\n[services ours]\nsts =\n  endpoint_url = h", None),
        ("services = ours\n[services ours]\nstorage_gateway =\n  endpoint_url = h", "mend endpoint_url"),
        ("endpoint_url = h\nignore_configured_endpoint_urls = true", None),
    ],
)
def test_an_endpoint_in_the_sdks_file_is_looked_at_too(
    tmp_path: Path, monkeypatch: Patch, text: str, told: str | None
) -> None:
    file = tmp_path / "config"
    file.write_text(f"[default]\n{text}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    facts = fault({})
    assert (facts is None) is (told is None)
    assert facts is None or (told or "") in (facts.remedy or "")


async def failed(monkeypatch: Patch, region: str = "us-east-1", **environ: str) -> Failure:
    """The one failure of a scan in which no call of Storage Gateway was sent."""
    made = fleet()
    async with Emulator(made) as emulator:
        environment(emulator, monkeypatch)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        async with Scanner(config(account(), scan={"regions": [region]})) as scanner:
            found = await scanner.scan()
    (failure,) = found.failures
    assert (failure.kind, failure.attempts) == (FailureKind.NETWORK, 0)
    return failure


async def test_a_scan_with_a_bad_endpoint_sends_nothing_there(monkeypatch: Patch) -> None:
    failure = await failed(monkeypatch, **{SERVICE: "http://h:port/?a#b"})
    assert f"mend {SERVICE}" in shown(failure)


@pytest.mark.parametrize("variable", ["AWS_USE_DUALSTACK_ENDPOINT", "AWS_USE_FIPS_ENDPOINT"])
async def test_a_region_without_the_endpoint_that_is_asked_for_is_told_with_the_switch(
    monkeypatch: Patch, variable: str
) -> None:
    """Such as dual stack where there is none; it was taken for a defect."""
    environ = {"AWS_USE_DUALSTACK_ENDPOINT": "true", variable: "true"}
    failure = await failed(monkeypatch, "us-isof-south-1", AWS_DEFAULT_REGION="us-isof-south-1", **environ)
    assert f"set AWS_USE_DUALSTACK_ENDPOINT{' or AWS_USE_FIPS_ENDPOINT' * ('FIPS' in variable)}" in shown(
        failure
    )
    assert "use_dualstack_endpoint" in shown(failure)


async def test_a_bucket_whose_endpoint_is_bad_stays_an_error_of_the_output(monkeypatch: Patch) -> None:
    """However often it is asked."""
    async with Emulator(fleet()) as emulator:
        environment(emulator, monkeypatch)
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://h/#x")
        with pytest.raises(OutputError, match="mend AWS_ENDPOINT_URL_S3: write https://HOST"):
            async with S3Bucket.named(["here"], ScannerConfig()):
                pass
        async with AsyncExitStack() as stack:
            client = BaseClient(S3, ScannerConfig(), stack)
            for _ in range(2):
                with pytest.raises(OutputError, match="AWS_ENDPOINT_URL_S3"):
                    await client.signed_in("s3://here")

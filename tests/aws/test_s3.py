"""Outputs in S3, against a server that others wrote."""

import io
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from scanner.aws.base_client import ATTEMPTS
from scanner.aws.s3 import S3Bucket
from scanner.config.settings import ScannerConfig
from scanner.errors import ConfigError, OutputError
from scanner.output.s3_upload import PART_SIZE, upload

from .buckets import Bucket, serving
from .test_faults import listening, unused_port

Patch = pytest.MonkeyPatch
OUTPUTS = [SimpleNamespace(bucket="here"), SimpleNamespace(bucket=None)]


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(moto_url: str, monkeypatch: Patch) -> Iterator[Any]:
    """A client of a server with the empty bucket `here`."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in {
        "AWS_ENDPOINT_URL": moto_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="here")
    for each in client.list_objects_v2(Bucket="here").get("Contents", []):
        client.delete_object(Bucket="here", Key=each["Key"])
    yield client
    client.close()


GONE = ScannerConfig.model_validate({"credentials": {"profile": "gone"}})


def objects(s3: Any) -> list[str]:
    return [each["Key"] for each in s3.list_objects_v2(Bucket="here").get("Contents", [])]


async def test_an_upload_that_is_given_up_leaves_nothing_behind(s3: Any) -> None:
    async with S3Bucket.all_of(OUTPUTS, ScannerConfig()) as buckets:
        assert set(buckets) == {"here"}
        await buckets["here"].abort("a/b.json", await buckets["here"].create("a/b.json", {}))
    assert objects(s3) == []
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="here")


async def test_what_is_put_comes_back_with_its_type(s3: Any) -> None:
    async with S3Bucket.all_of(OUTPUTS, ScannerConfig()) as buckets:
        await buckets["here"].put("a.json", b"{}", {"ContentType": "application/json"})
    found = s3.get_object(Bucket="here", Key="a.json")
    assert (found["Body"].read(), found["ContentType"]) == (b"{}", "application/json")


async def test_a_new_object_is_put_once_and_never_over_another(s3: Any) -> None:
    async with S3Bucket.all_of(OUTPUTS, ScannerConfig()) as buckets:
        bucket = buckets["here"]
        assert [await bucket.put_new("a.json", body, {}) for body in (b"1", b"2")] == [True, False]
        assert await bucket.get("a.json") == b"1"
        await bucket.put("b.json", b"22", {})
        assert await bucket.sizes("") == {"a.json": 1, "b.json": 2}
        await bucket.delete("a.json")
        assert await bucket.sizes("a") == {}


async def test_a_listing_of_many_pages_is_whole(s3: Any, monkeypatch: Patch) -> None:
    async with S3Bucket.all_of(OUTPUTS, ScannerConfig()) as buckets:
        for number in range(5):
            await buckets["here"].put(f"p/{number}", b"x", {})
        ask = buckets["here"]._client.call

        async def small(place: str, operation: str, **parameters: Any) -> Any:
            return await ask(place, operation, MaxKeys=2, **parameters)

        monkeypatch.setattr(buckets["here"]._client, "call", small)
        assert len(await buckets["here"].sizes("p/")) == 5


async def test_a_large_object_goes_in_parts_and_comes_back_whole(s3: Any, monkeypatch: Patch) -> None:
    size = 5 * 1024 * 1024
    monkeypatch.setitem(upload.__globals__, "PART_SIZE", size)
    body = bytes(range(256)) * (2 * size // 256) + b"the end"
    async with S3Bucket.all_of(OUTPUTS, ScannerConfig()) as buckets:
        await upload(buckets["here"], "large", io.BytesIO(body), {})
    found = s3.get_object(Bucket="here", Key="large")
    assert found["Body"].read() == body
    assert found["ETag"].endswith('-3"')


async def test_a_bucket_that_does_not_exist_is_told_with_the_remedy(s3: Any) -> None:
    async with S3Bucket.all_of([SimpleNamespace(bucket="nowhere")], ScannerConfig()) as buckets:
        with pytest.raises(OutputError, match=r"s3://nowhere/a\.json: .*create the bucket"):
            await buckets["nowhere"].create("a.json", {})


async def test_without_outputs_in_buckets_no_client_is_made(s3: Any, monkeypatch: Patch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "gone")
    async with S3Bucket.all_of([SimpleNamespace(bucket=None)], GONE) as buckets:
        assert buckets == {}


async def test_a_profile_that_does_not_exist_is_an_error_of_the_configuration(s3: Any) -> None:
    with pytest.raises(ConfigError, match="gone"):
        async with S3Bucket.all_of(OUTPUTS, GONE):
            pass


async def test_an_endpoint_that_is_no_url_is_an_error_of_the_output(s3: Any, monkeypatch: Patch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost")
    with pytest.raises(OutputError, match="Invalid endpoint"):
        async with S3Bucket.all_of(OUTPUTS, ScannerConfig()):
            pass


async def test_sdk_files_that_cannot_be_read_are_an_error_of_the_configuration(
    s3: Any, monkeypatch: Patch, tmp_path: Path
) -> None:
    file = tmp_path / "config"
    file.write_text("no section\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    with pytest.raises(ConfigError, match="mend this file"):
        async with S3Bucket.all_of(OUTPUTS, ScannerConfig()):
            pass


async def test_nobody_at_the_endpoint_is_an_error_of_the_output(s3: Any, monkeypatch: Patch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused_port()}")
    async with S3Bucket.all_of(OUTPUTS, ScannerConfig()) as buckets:
        with pytest.raises(OutputError, match=r"s3://here/a\.json: Could not connect"):
            await buckets["here"].put("a.json", b"", {})


async def test_somebody_else_at_the_endpoint_is_an_error_of_the_output(s3: Any, monkeypatch: Patch) -> None:
    with listening(tls=False) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        async with S3Bucket.all_of(OUTPUTS, ScannerConfig()) as buckets:
            with pytest.raises(OutputError, match=r"s3://here/a\.json: "):
                await buckets["here"].create("a.json", {})


@pytest.fixture
def odd(s3: Any, monkeypatch: Patch) -> Iterator[Bucket]:
    """A server that misbehaves as told, and a client that waits for none."""
    monkeypatch.setattr("scanner.aws.base_client.PAUSE", 0)
    with serving() as bucket:
        monkeypatch.setenv("AWS_ENDPOINT_URL", bucket.url)
        yield bucket


HASTY = ScannerConfig.model_validate({"scan": {"call_timeout": "400ms"}})
"""For calls that never end; all others have the time that a busy machine may need."""
LARGE = b"x" * PART_SIZE


async def test_a_server_that_knows_no_expectations_gets_the_body_at_once(odd: Bucket) -> None:
    async with S3Bucket.all_of(OUTPUTS, ScannerConfig()) as buckets:
        await upload(buckets["here"], "small", io.BytesIO(b"small"), {})
        await upload(buckets["here"], "large", io.BytesIO(LARGE), {})
    assert odd.objects == {"/here/small": b"small", "/here/large": LARGE}
    assert not [headers for headers in odd.headers if "Expect" in headers]


@pytest.mark.parametrize(
    ("call", "misbehaviour"),
    [
        ("put", "silent"),
        ("put", "trickles"),
        ("put", "deaf"),
        ("create", "silent"),
        ("create", "trickles"),
        ("part", "deaf"),
        ("complete", "silent"),
    ],
)
async def test_a_server_that_never_ends_a_call_is_left(
    odd: Bucket, monkeypatch: Patch, call: str, misbehaviour: str
) -> None:
    """After as many attempts as any call has; an upload that may have begun unseen is not begun again."""
    monkeypatch.setattr("scanner.aws.base_client.ATTEMPTS", 2)
    odd.misbehave[call] = lambda made: misbehaviour
    body = b"small" if call == "put" else LARGE
    async with S3Bucket.all_of(OUTPUTS, HASTY) as buckets:
        with pytest.raises(OutputError, match=r"s3://here/a\.json: .*scan\.call_timeout"):
            await upload(buckets["here"], "a.json", io.BytesIO(body), {})
    assert odd.asked.count(call) <= (1 if call == "create" else 2)
    assert not odd.begun
    assert not odd.objects


@pytest.mark.parametrize("call", ["put", "create", "part", "complete"])
async def test_a_passing_error_costs_nothing(odd: Bucket, call: str) -> None:
    odd.misbehave[call] = lambda made: 503 if made < ATTEMPTS - 1 else 200
    body = b"small" if call == "put" else LARGE
    async with S3Bucket.all_of(OUTPUTS, ScannerConfig()) as buckets:
        await upload(buckets["here"], "a.json", io.BytesIO(body), {})
    assert odd.objects == {"/here/a.json": body}


async def test_a_refusal_is_not_tried_again(odd: Bucket) -> None:
    odd.misbehave["put"] = lambda made: 403
    async with S3Bucket.all_of(OUTPUTS, ScannerConfig()) as buckets:
        with pytest.raises(OutputError, match="allow s3:PutObject"):
            await upload(buckets["here"], "a.json", io.BytesIO(b"small"), {})
    assert odd.asked == ["put"]


@pytest.mark.parametrize("retries", ["adaptive", "legacy", "standard"])
async def test_the_settings_of_the_sdk_multiply_no_attempts(
    odd: Bucket, monkeypatch: Patch, retries: str
) -> None:
    monkeypatch.setenv("AWS_RETRY_MODE", retries)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "9")
    odd.misbehave["put"] = lambda made: 503
    async with S3Bucket.all_of(OUTPUTS, ScannerConfig()) as buckets:
        with pytest.raises(OutputError, match="SlowDown"):
            await upload(buckets["here"], "a.json", io.BytesIO(b"small"), {})
    assert odd.asked == ["put"] * ATTEMPTS


async def test_credentials_that_expire_during_a_scan_are_renewed(
    odd: Bucket, monkeypatch: Patch, tmp_path: Path
) -> None:
    """They are read again when the bucket says so: a scan may take longer than they last."""
    file = tmp_path / "credentials"
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    keys = "[default]\naws_access_key_id = {0}\naws_secret_access_key = {0}{0}\n"
    file.write_text(keys.format("AKIAOLD"))
    odd.misbehave["put"] = lambda made: 400 if "AKIAOLD" in odd.headers[-1]["Authorization"] else 200
    async with S3Bucket.all_of(OUTPUTS, ScannerConfig()) as buckets:
        file.write_text(keys.format("AKIANEW"))
        await upload(buckets["here"], "a.json", io.BytesIO(b"small"), {})
    assert odd.objects == {"/here/a.json": b"small"}
    assert odd.asked == ["put", "put"]


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        ("credential_process = echo garbage", "what came is no JSON"),
        ("credential_process = sleep 1000", r"did not come within 0\.4 s"),
        ("credential_process = /no/such/program", "No such file or directory"),
        ("region = us-east-1", "no credentials were found"),
        (
            "role_arn = arn:aws:iam::111122223333:role/x\nsource_profile = default\n"
            "mfa_serial = arn:aws:iam::111122223333:mfa/x\n"
            "aws_access_key_id = AKIAX\naws_secret_access_key = ssssssssssssss",
            "asks for an MFA code",
        ),
    ],
)
async def test_credentials_that_do_not_come_are_an_error_of_the_output(
    odd: Bucket, monkeypatch: Patch, tmp_path: Path, profile: str, told: str
) -> None:
    """Told before the scan, and nobody is asked for anything."""
    file = tmp_path / "config"
    file.write_text(f"[default]\n{profile}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(OutputError, match=rf"^s3://here: .*{told}.*; "):
        async with S3Bucket.all_of(OUTPUTS, HASTY if "sleep" in profile else ScannerConfig()):
            pass
    assert not odd.asked

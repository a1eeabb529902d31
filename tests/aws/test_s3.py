"""Outputs in S3, against a server that others wrote."""

import io
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from scanner.aws.s3 import S3Bucket
from scanner.config.settings import ScannerConfig
from scanner.errors import ConfigError, OutputError
from scanner.output.s3_upload import upload

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
def s3(moto_url: str, monkeypatch: Patch) -> Any:
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
    return client


GONE = ScannerConfig.model_validate({"credentials": {"profile": "gone"}})


def objects(s3: Any) -> list[str]:
    return [each["Key"] for each in s3.list_objects_v2(Bucket="here").get("Contents", [])]


async def test_a_check_leaves_nothing_behind(s3: Any) -> None:
    async with S3Bucket.all_of(OUTPUTS, ScannerConfig()) as buckets:
        assert set(buckets) == {"here"}
        await buckets["here"].check("a/b.json")
    assert objects(s3) == []
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="here")


async def test_what_is_put_comes_back_with_its_type(s3: Any) -> None:
    async with S3Bucket.all_of(OUTPUTS, ScannerConfig()) as buckets:
        await buckets["here"].put("a.json", b"{}", {"ContentType": "application/json"})
    found = s3.get_object(Bucket="here", Key="a.json")
    assert (found["Body"].read(), found["ContentType"]) == (b"{}", "application/json")


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
            await buckets["nowhere"].check("a.json")


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


async def test_sdk_files_that_cannot_be_read_are_an_error_of_the_output(
    s3: Any, monkeypatch: Patch, tmp_path: Path
) -> None:
    file = tmp_path / "config"
    file.write_text("no section\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    with pytest.raises(OutputError, match="S3: "):
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

"""Where outputs go, and what is found out before a scan."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import aioboto3
import anyio
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from scanner.errors import OutputError
from scanner.inventory.model import Inventory
from scanner.output import (
    FORMATS,
    check_output,
    check_outputs,
    object_arguments,
    open_output,
    parse_output,
    save,
    upload,
)
from scanner.output.s3_upload import PART_SIZE
from tests.output.fleet import inventory, written

KMS = "arn:aws:kms:us-east-1:111122223333:key/1"


class S3Bucket:
    """A bucket over a plain S3 client; refuses from the `broken` call on."""

    def __init__(self, client: Any, name: str, broken: str | None = None) -> None:
        self._client, self._name, self._broken = client, name, broken

    async def _ask(self, call: str, **arguments: Any) -> Any:
        if call == self._broken:
            raise OutputError(f"{call} refused")
        try:
            return await getattr(self._client, call)(Bucket=self._name, **arguments)
        except ClientError as error:
            raise OutputError(str(error)) from error

    async def check(self, key: str) -> None:
        await self._ask("head_bucket")

    async def put(self, key: str, body: bytes, arguments: Mapping[str, str]) -> None:
        await self._ask("put_object", Key=key, Body=body, **arguments)

    async def create(self, key: str, arguments: Mapping[str, str]) -> str:
        return str((await self._ask("create_multipart_upload", Key=key, **arguments))["UploadId"])

    async def part(self, key: str, upload: str, number: int, body: bytes) -> str:
        answer = await self._ask("upload_part", Key=key, UploadId=upload, PartNumber=number, Body=body)
        return str(answer["ETag"])

    async def complete(self, key: str, upload: str, tags: Sequence[str]) -> None:
        parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
        await self._ask(
            "complete_multipart_upload", Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
        )

    async def abort(self, key: str, upload: str) -> None:
        await self._ask("abort_multipart_upload", Key=key, UploadId=upload)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
async def s3(endpoint: str) -> AsyncIterator[Any]:
    session = aioboto3.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1"
    )
    async with session.client("s3", endpoint_url=endpoint) as client:
        await client.create_bucket(Bucket="reports")
        yield client
        listed = await client.list_objects_v2(Bucket="reports")
        for each in listed.get("Contents", []):
            await client.delete_object(Bucket="reports", Key=each["Key"])


async def nothing_stayed(s3: Any) -> bool:
    objects = await s3.list_objects_v2(Bucket="reports")
    uploads = await s3.list_multipart_uploads(Bucket="reports")
    return "Contents" not in objects and not uploads.get("Uploads")


@pytest.mark.parametrize("suffix", FORMATS)
async def test_every_format_reaches_a_bucket(s3: Any, suffix: str) -> None:
    """The object is what the file would be, and says what it is."""
    output = parse_output(f"s3://reports/daily/a{suffix}")
    assert (output.bucket, output.key) == ("reports", f"daily/a{suffix}")
    fleet = inventory()
    await save(fleet, output, S3Bucket(s3, "reports"))
    answer = await s3.get_object(Bucket="reports", Key=f"daily/a{suffix}")
    assert await answer["Body"].read() == written(fleet, suffix)
    assert answer["ContentType"] == FORMATS[suffix].media_type


async def test_a_large_object_goes_in_parts_encrypted_as_asked(s3: Any) -> None:
    """Beyond one part; the key is the config's."""
    output = parse_output("s3://reports/a.json")
    arguments = object_arguments(output, kms_key=KMS)
    content = b"x" * (PART_SIZE + 1)
    await upload(S3Bucket(s3, "reports"), "a.json", BytesIO(content), arguments)
    answer = await s3.get_object(Bucket="reports", Key="a.json")
    assert await answer["Body"].read() == content
    assert (answer["ServerSideEncryption"], answer["SSEKMSKeyId"]) == ("aws:kms", KMS)


@pytest.mark.parametrize("broken", ["put_object", "create_multipart_upload", "upload_part"])
async def test_a_refusal_leaves_nothing_behind(s3: Any, broken: str) -> None:
    """Not even parts that nobody sees and somebody pays for."""
    size = 10 if broken == "put_object" else PART_SIZE * 2
    with pytest.raises(OutputError, match=f"{broken} refused"):
        await upload(S3Bucket(s3, "reports", broken), "a.json", BytesIO(b"x" * size), {})
    assert await nothing_stayed(s3)


async def test_a_cancelled_upload_leaves_nothing_behind(s3: Any) -> None:
    """A scan that is stopped still takes its parts away."""

    class Slow(S3Bucket):
        async def complete(self, key: str, upload: str, tags: Sequence[str]) -> None:
            await anyio.sleep_forever()

    with anyio.move_on_after(1) as scope:
        await upload(Slow(s3, "reports"), "a.json", BytesIO(b"x" * PART_SIZE), {})
    assert scope.cancelled_caught
    assert await nothing_stayed(s3)


async def test_an_abort_that_fails_too_hides_no_error(s3: Any) -> None:
    """The first refusal is the one to read."""

    class Worse(S3Bucket):
        async def abort(self, key: str, upload: str) -> None:
            raise OutputError("abort refused")

    with pytest.raises(OutputError, match="upload_part refused"):
        await upload(Worse(s3, "reports", "upload_part"), "a.json", BytesIO(b"x" * PART_SIZE), {})


def test_encryption_arguments() -> None:
    """What the bucket does by default stays so unless something is asked for."""
    output = parse_output("s3://reports/a.csv")
    kind = {"ContentType": "text/csv; charset=utf-8"}
    assert object_arguments(output) == kind
    assert object_arguments(output, "AES256") == {**kind, "ServerSideEncryption": "AES256"}
    assert object_arguments(output, "aws:kms:dsse", KMS)["ServerSideEncryption"] == "aws:kms:dsse"
    with pytest.raises(OutputError, match="takes no KMS key"):
        object_arguments(output, "AES256", KMS)


async def test_a_file_is_saved_whole(tmp_path: Path) -> None:
    """What is on the disk is the format's bytes."""
    fleet = inventory()
    await save(fleet, check_output(str(tmp_path / "a.json")))
    assert Inventory.model_validate_json((tmp_path / "a.json").read_bytes()) == fleet


def test_stdout_gets_json(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """And is not closed by it."""
    for _ in range(2):
        with open_output(check_output("-")) as stream:
            stream.write(b"{}")
    assert capfdbinary.readouterr().out == b"{}{}"


def test_a_reader_that_left_is_an_output_error() -> None:
    """`| head` is not a defect."""
    with pytest.raises(OutputError, match="standard output: Broken pipe"), open_output(parse_output("-")):
        raise BrokenPipeError(32, "Broken pipe")


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("a.xlsx", "use one of"),
        ("s3://bucket", "is no object in a bucket"),
        ("s3:/bucket/a.json", "is no object in a bucket"),
        ("s3://B/a.json", "is no object in a bucket"),
        ("https://example.com/a.json", "is no place for an output"),
        ("no/such/folder/a.json", "mkdir -p"),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_scan(place: str, says: str) -> None:
    """Naming the place and the remedy."""
    with pytest.raises(OutputError, match=says) as caught:
        check_output(place)
    assert str(caught.value).startswith(f"{place}: ")


def test_two_outputs_of_one_place_are_refused(tmp_path: Path) -> None:
    """However it is spelled."""
    one = str(tmp_path / "a.json")
    assert [output.destination for output in check_outputs([one, "-", "s3://reports/a.json"])] == [
        one,
        "-",
        "s3://reports/a.json",
    ]
    for twice in ([one, f"{tmp_path}/./a.json"], ["-", "-"], ["s3://reports/a.json"] * 2):
        with pytest.raises(OutputError, match="named twice"):
            check_outputs(twice)


async def test_a_bucket_is_never_opened_as_a_file() -> None:
    """Both ways round are refused rather than guessed."""
    output = parse_output("s3://reports/a.json")
    with pytest.raises(OutputError, match="upload it"), open_output(output):
        pass
    with pytest.raises(OutputError, match="needs its bucket"):
        await save(inventory(), output)

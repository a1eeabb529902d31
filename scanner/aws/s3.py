"""S3 as a place for outputs."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from scanner.aws.base_client import BaseClient, Peer, RefusedError
from scanner.aws.sdk.http_session import body_of
from scanner.config.settings import ScannerConfig
from scanner.errors import ConfigError, OutputError

ENDPOINT_REMEDY = "look at the bucket's name and Region, and at AWS_ENDPOINT_URL if one is set"
S3 = Peer(
    "s3",
    ENDPOINT_REMEDY,
    {
        "AccessDenied": "allow s3:PutObject and s3:AbortMultipartUpload on it to the base identity, and for a"
        " history s3:ListBucket and s3:GetObject",
        "NoSuchBucket": "create the bucket, or mend its name",
        "InvalidAccessKeyId": "the keys are not known; sign in again",
        "ExpiredToken": "the credentials have expired; sign in again",
    },
)
CREATE, GET = "create_multipart_upload", "get_object"
READ_REMEDIES = {
    "AccessDenied": "allow s3:GetObject on it to the base identity, and s3:ListBucket on the bucket",
    "NoSuchKey": "mend the key; there is no such object",
}
PIECE = 8 * 1024 * 1024
"""Bytes that one call reads: an answer has a bound, an object has none."""
IS_THERE = "PreconditionFailed"


class S3Bucket:
    """One bucket, as uploads see it. Credentials are those of the base identity.

    Each call is tried a few times, each of them for no longer than `scan.call_timeout`.
    """

    def __init__(self, client: BaseClient, name: str) -> None:
        self._client = client
        self._name = name

    @classmethod
    @asynccontextmanager
    async def all_of(
        cls, outputs: Sequence[Any], config: ScannerConfig
    ) -> AsyncIterator[dict[str, "S3Bucket"]]:
        """The buckets that `outputs` name, by name; without any no client is made.

        Raises ConfigError for a profile that does not exist, and OutputError where there are no credentials.
        """
        async with cls.named({output.bucket for output in outputs if output.bucket}, config) as buckets:
            yield buckets

    @classmethod
    @asynccontextmanager
    async def named(
        cls, names: Collection[str], config: ScannerConfig
    ) -> AsyncIterator[dict[str, "S3Bucket"]]:
        """The buckets of these names, as `all_of` opens them."""
        if not names:
            yield {}
            return
        async with AsyncExitStack() as stack:
            client = BaseClient(S3, config, stack)
            await client.signed_in(f"s3://{min(names)}")
            yield {name: cls(client, name) for name in names}

    async def get(self, key: str) -> bytes:
        """The whole object; raises ConfigError where it cannot be had."""
        return b"".join([piece async for piece in self.pieces(key)])

    async def pieces(self, key: str) -> AsyncIterator[bytes]:
        """The whole object, piece by piece; raises ConfigError where it cannot be had."""
        read, total = 0, ""
        same: dict[str, str] = {}
        while not total.isdecimal() or read < int(total):
            try:
                answer = await self._call(GET, key, Range=f"bytes={read}-{read + PIECE - 1}", **same)
            except OutputError as error:
                raise ConfigError(str(error)) from None
            piece = body_of(answer["Body"])
            yield piece
            read += len(piece)
            total = str(answer.get("ContentRange")).rpartition("/")[2]
            if not piece or not total.isdecimal():
                return
            # Another object at this key must not be joined to the first piece of this one.
            same = {"IfMatch": str(answer.get("ETag"))}

    async def put(self, key: str, body: bytes, arguments: Mapping[str, str]) -> None:
        await self._call("put_object", key, Body=body, **arguments)

    async def create(self, key: str, arguments: Mapping[str, str]) -> str:
        answer = await self._call(CREATE, key, **arguments)
        if not answer.get("UploadId"):
            raise OutputError(f"s3://{self._name}/{key}: the answer begins no upload; {ENDPOINT_REMEDY}")
        return str(answer["UploadId"])

    async def part(self, key: str, upload: str, number: int, body: bytes) -> str:
        answer = await self._call("upload_part", key, UploadId=upload, PartNumber=number, Body=body)
        if not answer.get("ETag"):
            raise OutputError(f"s3://{self._name}/{key}: the answer takes no part; {ENDPOINT_REMEDY}")
        return str(answer["ETag"])

    async def complete(self, key: str, upload: str, tags: Sequence[str]) -> None:
        parts = [{"ETag": tag, "PartNumber": number} for number, tag in enumerate(tags, 1)]
        await self._call("complete_multipart_upload", key, UploadId=upload, MultipartUpload={"Parts": parts})

    async def abort(self, key: str, upload: str) -> None:
        await self._call("abort_multipart_upload", key, UploadId=upload)

    async def put_new(self, key: str, body: bytes, arguments: Mapping[str, str]) -> bool:
        """Puts an object where there is none; returns whether there was none."""
        try:
            await self._call("put_object", key, Body=body, IfNoneMatch="*", **arguments)
        except RefusedError as refused:
            if refused.code == IS_THERE:
                return False
            raise
        return True

    async def delete(self, key: str) -> None:
        await self._call("delete_object", key)

    async def sizes(self, prefix: str) -> dict[str, int]:
        """The size of every object whose key begins so, a thousand a request."""
        found: dict[str, int] = {}
        more: dict[str, Any] = {"Bucket": self._name, "Prefix": prefix}
        while True:
            answer = await self._client.call(f"s3://{self._name}/{prefix}", "list_objects_v2", **more)
            found |= {each["Key"]: int(each["Size"]) for each in answer.get("Contents", ())}
            if not answer.get("NextContinuationToken"):
                return found
            more["ContinuationToken"] = answer["NextContinuationToken"]

    async def _call(self, operation: str, key: str, **parameters: Any) -> Mapping[str, Any]:
        # Without an answer an upload may have begun whose id nobody knows: one of those is enough.
        return await self._client.call(
            f"s3://{self._name}/{key}",
            operation,
            once_begun=operation == CREATE,
            remedies=READ_REMEDIES if operation == GET else {},
            Bucket=self._name,
            Key=key,
            **parameters,
        )

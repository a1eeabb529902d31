"""S3 as a place for outputs."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aioboto3
from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound
from botocore.parsers import ResponseParserError

from scanner.aws.errors import clean
from scanner.errors import ConfigError, OutputError

REMEDIES = {
    "AccessDenied": "allow s3:PutObject and s3:AbortMultipartUpload on it to the base identity",
    "NoSuchBucket": "create the bucket, or mend its name",
}


class S3Bucket:
    """One bucket, as uploads see it. Credentials are those of the base identity."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    @classmethod
    @asynccontextmanager
    async def all_of(
        cls, outputs: Sequence[Any], profile: str | None
    ) -> AsyncIterator[dict[str, "S3Bucket"]]:
        """The buckets that `outputs` name, by name; without any no client is made."""
        names = {output.bucket for output in outputs if output.bucket}
        async with AsyncExitStack() as stack:
            buckets = {}
            if names:
                try:
                    session = aioboto3.Session(profile_name=profile)
                    client = await stack.enter_async_context(session.client("s3"))
                except ProfileNotFound as error:
                    raise ConfigError(clean(str(error))) from None
                # A ValueError is an endpoint that is no URL.
                except (BotoCoreError, ValueError) as error:
                    raise OutputError(f"S3: {clean(str(error))}") from None
                buckets = {name: cls(client, name) for name in names}
            yield buckets

    async def check(self, key: str, arguments: Mapping[str, str] | None = None) -> None:
        # A key that may be written is known by beginning an upload and giving it up: nothing appears.
        upload = await self.create(key, arguments or {})
        await self.abort(key, upload)

    async def put(self, key: str, body: bytes, arguments: Mapping[str, str]) -> None:
        await self._call("put_object", key, Body=body, **arguments)

    async def create(self, key: str, arguments: Mapping[str, str]) -> str:
        answer = await self._call("create_multipart_upload", key, **arguments)
        return str(answer["UploadId"])

    async def part(self, key: str, upload: str, number: int, body: bytes) -> str:
        answer = await self._call("upload_part", key, UploadId=upload, PartNumber=number, Body=body)
        return str(answer["ETag"])

    async def complete(self, key: str, upload: str, tags: Sequence[str]) -> None:
        parts = [{"ETag": tag, "PartNumber": number} for number, tag in enumerate(tags, 1)]
        await self._call("complete_multipart_upload", key, UploadId=upload, MultipartUpload={"Parts": parts})

    async def abort(self, key: str, upload: str) -> None:
        await self._call("abort_multipart_upload", key, UploadId=upload)

    async def _call(self, operation: str, key: str, **parameters: Any) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = await getattr(self._client, operation)(
                Bucket=self._name, Key=key, **parameters
            )
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code"))
            remedy = REMEDIES.get(code)
            said = clean(str(error)) + (f"; {remedy}" if remedy else "")
            raise OutputError(f"s3://{self._name}/{key}: {said}") from None
        except (BotoCoreError, ResponseParserError) as error:
            raise OutputError(f"s3://{self._name}/{key}: {clean(str(error))}") from None
        return answer

"""S3 as a place for outputs."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aioboto3
from aiobotocore.config import AioConfig
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)
from botocore.parsers import ResponseParserError

from scanner.aws.errors import clean
from scanner.config.settings import ScannerConfig
from scanner.errors import ConfigError, OutputError

REMEDIES = {
    "AccessDenied": "allow s3:PutObject and s3:AbortMultipartUpload on it to the base identity",
    "NoSuchBucket": "create the bucket, or mend its name",
    "InvalidAccessKeyId": "the keys are not known; sign in again",
    "ExpiredToken": "the credentials have expired; sign in again",
}
ENDPOINT_REMEDY = "look at the bucket's name and Region, and at AWS_ENDPOINT_URL if one is set"
SIGN_IN = "sign in (`aws sso login`, `aws configure`), or set credentials.profile"
ATTEMPTS = 3


class S3Bucket:
    """One bucket, as uploads see it. Credentials are those of the base identity."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    @classmethod
    @asynccontextmanager
    async def all_of(
        cls, outputs: Sequence[Any], config: ScannerConfig
    ) -> AsyncIterator[dict[str, "S3Bucket"]]:
        """The buckets that `outputs` name, by name; without any no client is made."""
        names = {output.bucket for output in outputs if output.bucket}
        async with AsyncExitStack() as stack:
            buckets = {}
            if names:
                try:
                    session = aioboto3.Session(profile_name=config.credentials.profile)
                    client = await stack.enter_async_context(session.client("s3", config=_bounds(config)))
                except ProfileNotFound as error:
                    raise ConfigError(clean(str(error))) from None
                # A ValueError is an endpoint that is no URL.
                except (BotoCoreError, ValueError) as error:
                    raise OutputError(f"S3: {clean(str(error))}; {ENDPOINT_REMEDY}") from None
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

    async def _call(self, operation: str, key: str, **parameters: Any) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = await getattr(self._client, operation)(
                Bucket=self._name, Key=key, **parameters
            )
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code"))
            said = f"{clean(str(error))}; {REMEDIES.get(code, ENDPOINT_REMEDY)}"
            raise OutputError(f"s3://{self._name}/{key}: {said}") from None
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise OutputError(f"s3://{self._name}/{key}: {clean(str(error))}; {SIGN_IN}") from None
        except (BotoCoreError, ResponseParserError) as error:
            told = f"{clean(str(error))}; {ENDPOINT_REMEDY}"
            raise OutputError(f"s3://{self._name}/{key}: {told}") from None
        return answer


def _bounds(config: ScannerConfig) -> AioConfig:
    # A bucket that does not answer must not keep a scan from ending.
    return AioConfig(
        connect_timeout=config.scan.connect_timeout.total_seconds(),
        read_timeout=config.scan.call_timeout.total_seconds(),
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    )

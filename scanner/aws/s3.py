"""S3 as a place for outputs."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import anyio
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError

from scanner.aws.clients import client_config
from scanner.aws.codes import EXPIRED
from scanner.aws.connections import Connections
from scanner.aws.credentials.credentials import Credentials
from scanner.aws.credentials.sessions import Sessions
from scanner.aws.errors import BROKEN_ANSWER, CLOCK_REMEDY, clean, failed, is_clock_error
from scanner.aws.sdk.http_session import ClientConfig
from scanner.config.settings import ScannerConfig
from scanner.errors import OutputError
from scanner.service.errors import CallFailed

REMEDIES = {
    "AccessDenied": "allow s3:PutObject and s3:AbortMultipartUpload on it to the base identity",
    "NoSuchBucket": "create the bucket, or mend its name",
    "InvalidAccessKeyId": "the keys are not known; sign in again",
    "ExpiredToken": "the credentials have expired; sign in again",
}
ENDPOINT_REMEDY = "look at the bucket's name and Region, and at AWS_ENDPOINT_URL if one is set"
SLOW_REMEDY = "look at what lies between here and the bucket, or raise scan.call_timeout"
PASSING = {"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling", "503 Slow Down"}
CREATE = "create_multipart_upload"
ATTEMPTS = 3
PAUSE = 0.2
"""Seconds before the second attempt; twice as long before the third."""


class S3Bucket:
    """One bucket, as uploads see it. Credentials are those of the base identity.

    Each call is tried a few times, each of them for no longer than `scan.call_timeout`.
    """

    def __init__(self, client: "_Client", name: str) -> None:
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
        names = {output.bucket for output in outputs if output.bucket}
        if not names:
            yield {}
            return
        async with AsyncExitStack() as stack:
            client = _Client(config, stack)
            await client.signed_in(f"s3://{min(names)}")
            yield {name: cls(client, name) for name in names}

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

    async def _call(self, operation: str, key: str, **parameters: Any) -> Mapping[str, Any]:
        place = f"s3://{self._name}/{key}"
        for attempt in range(ATTEMPTS):
            if attempt:
                await anyio.sleep(PAUSE * 2 ** (attempt - 1))
            try:
                return await self._client.ask(place, operation, Bucket=self._name, Key=key, **parameters)
            except _Refused as refused:
                told = f"{place}: {refused.told}; {refused.remedy}"
                # Without an answer an upload may have begun whose id nobody knows: one of those is enough.
                if not refused.passing or (refused.unanswered and operation == CREATE):
                    break
        raise OutputError(told)


@dataclass
class _Refused(Exception):
    """Why one attempt failed; `passing` if another may do better, `unanswered` if this one may have done its work."""

    told: str
    remedy: str = ENDPOINT_REMEDY
    passing: bool = False
    unanswered: bool = False


class _Client:
    """The SDK's client of S3 over connections of our own, signed for the base identity as it is now."""

    def __init__(self, config: ScannerConfig, stack: AsyncExitStack) -> None:
        connect = config.scan.connect_timeout.total_seconds()
        self._patience = config.scan.call_timeout.total_seconds()
        connections = Connections(connect_timeout=connect, read_timeout=self._patience, limit=1)
        stack.push_async_callback(connections.close)
        self._sessions = Sessions(config.credentials.profile, {}, self._patience, connections)
        self._config = ClientConfig(
            connections, **client_config(connect_timeout=connect, read_timeout=self._patience)
        )
        self._stack = stack
        self._client: Any = None
        self._credentials: Credentials | None = None

    async def signed_in(self, place: str) -> Any:
        """The client, made anew when its credentials are about to end; raises OutputError."""
        if self._credentials is None or not self._credentials.lasts(datetime.now(UTC)):
            try:
                self._credentials = await self._sessions.obtain(None)
                self._client = await self._stack.enter_async_context(self._made(self._credentials))
                self._client.meta.events.register_last("before-call.s3", _send_at_once)
            except CallFailed as failure:
                raise OutputError(f"{place}: {failure.facts.message}; {failure.facts.remedy}") from None
            # A ValueError is an endpoint that is no URL.
            except (BotoCoreError, ValueError) as error:
                raise OutputError(f"{place}: {clean(str(error))}; {ENDPOINT_REMEDY}") from None
        return self._client

    async def ask(self, place: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
        """The answer to one request; raises `_Refused`, or OutputError where nobody can sign in."""
        client = await self.signed_in(place)
        try:
            # Of the whole request and its answer: a peer that trickles is as silent as one that says nothing.
            with anyio.fail_after(self._patience):
                answer: Mapping[str, Any] = await getattr(client, operation)(**parameters)
        except ClientError as error:
            raise self._refused(error) from None
        except TimeoutError:
            told = f"the answer took longer than {self._patience:g} s (scan.call_timeout)"
            raise _Refused(told, SLOW_REMEDY, passing=True, unanswered=True) from None
        except (NoConnectionError, HTTPClientError) as error:
            facts = failed(error, operation).facts
            remedy = facts.remedy or ENDPOINT_REMEDY
            raise _Refused(clean(str(error)), remedy, passing=True, unanswered=facts.connected) from None
        except (BotoCoreError, ResponseParserError) as error:
            raise _Refused(clean(str(error))) from None
        except BROKEN_ANSWER:
            raise _Refused("the answer is none of S3") from None
        return answer

    def _made(self, found: Credentials) -> Any:
        return self._sessions.base.client(
            "s3",
            config=self._config,
            aws_access_key_id=found.access_key,
            aws_secret_access_key=found.secret_key,
            aws_session_token=found.token,
        )

    def _refused(self, error: ClientError) -> _Refused:
        answer = error.response
        code = str(answer.get("Error", {}).get("Code"))
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in EXPIRED:
            # Perhaps there are new ones by now, in the file or from the process that these came from.
            self._credentials = None
        told = clean(str(error))
        remedy = CLOCK_REMEDY if is_clock_error(code, told) else REMEDIES.get(code, ENDPOINT_REMEDY)
        return _Refused(told, remedy, passing=status >= 500 or code in PASSING or code in EXPIRED)


def _send_at_once(params: dict[str, Any], **_: Any) -> None:
    # Not everything that speaks S3 answers "Expect: 100-continue", and nothing is saved by asking first.
    params["headers"].pop("Expect", None)

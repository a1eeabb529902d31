"""boto3 as an independent client of the emulator, used from a thread of its own."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import anyio.to_thread
import boto3
from botocore.config import Config

from scanner.emulator import Emulator, Remote

Value = TypeVar("Value")
ISSUER = "https://oidc.example.com/id/42"
# One for all: its loaded service models are what takes the time.
SESSION: Any = boto3.session.Session()


def client(emulator: Emulator | Remote, service: str, region: str = "us-east-1", **options: Any) -> Any:
    """One attempt a call; the base identity's keys unless others are given."""
    config = options.pop("config", {})
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", **options}
    return SESSION.client(
        service,
        region_name=region,
        endpoint_url=emulator.url,
        config=Config(retries={"total_max_attempts": 1}, **config),
        **keys,
    )


def assume(emulator: Emulator, arn: str, **options: Any) -> dict[str, str]:
    """Keys of a role, as `client` takes them."""
    source = options.pop("source", {})
    region = options.pop("region", "us-east-1")
    sts = client(emulator, "sts", region, **source)
    answer = sts.assume_role(RoleArn=arn, **{"RoleSessionName": "tests", **options})
    keys = answer["Credentials"]
    return {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }


def token(issuer: str = ISSUER, expires_in: float = 600, **more: Any) -> str:
    """A token as identity providers write them; the emulator does not verify its signature."""
    claims = {"iss": issuer, "sub": "system:scanner", "aud": "sts", "exp": int(time.time() + expires_in)}
    parts = ({"alg": "RS256"}, {**claims, **more}, {"signed": "no"})
    return ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
    )


async def in_thread(work: Callable[[], Value]) -> Value:
    return await anyio.to_thread.run_sync(work)

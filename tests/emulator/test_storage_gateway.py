from __future__ import annotations

from typing import Any

import anyio.to_thread
import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from scanner.emulator import Emulator, Fleet


def client(emulator: Emulator, service: str, region: str = "us-east-1", **credentials: str) -> Any:
    session: Any = boto3.session.Session()
    return session.client(
        service,
        region_name=region,
        endpoint_url=emulator.url,
        config=Config(retries={"total_max_attempts": 1}),
        **(credentials or {"aws_access_key_id": "test", "aws_secret_access_key": "test"}),
    )


async def test_an_assumed_role_reads_the_recovery_points_of_its_own_account() -> None:
    fleet = Fleet.generate(accounts=3, regions=2, gateways_per_target=3, types={"CACHED": 1})
    async with Emulator(fleet) as emulator:

        def use() -> None:
            sts = client(emulator, "sts")
            assert sts.get_caller_identity()["Account"] == fleet.accounts[0].id
            other = fleet.accounts[1]
            keys = sts.assume_role(RoleArn=other.role_arn(other.roles[0]), RoleSessionName="me")[
                "Credentials"
            ]
            credentials = {
                "aws_access_key_id": keys["AccessKeyId"],
                "aws_secret_access_key": keys["SecretAccessKey"],
                "aws_session_token": keys["SessionToken"],
            }
            gateways = client(emulator, "storagegateway", **credentials)
            found = [
                gateway
                for page in gateways.get_paginator("list_gateways").paginate(PaginationConfig={"PageSize": 2})
                for gateway in page["Gateways"]
            ]
            assert len(found) == 3
            answer = gateways.list_volume_recovery_points(GatewayARN=found[0]["GatewayARN"])
            assert answer["GatewayARN"] == found[0]["GatewayARN"]
            with pytest.raises(ClientError, match="not authorized to perform"):
                client(emulator, "storagegateway").list_volume_recovery_points(
                    GatewayARN=found[0]["GatewayARN"]
                )

        await anyio.to_thread.run_sync(use)
        assert emulator.mismatches == 1
        assert emulator.requests["sts", "AssumeRole", fleet.accounts[0].id, "us-east-1"] == 1

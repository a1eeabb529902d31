from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from scanner.emulator import Account, Bucket, Emulator, Fleet

from ..clients import client, in_thread

HUB, PROD = "111111111111", "222222222222"


@pytest.mark.parametrize(
    ("bucket", "admitted"),
    [
        (Bucket(0, 3), {"us-east-1": 3, "eu-west-1": 3}),
        (Bucket(0, 3, regions=["eu-west-1"]), {"us-east-1": 10, "eu-west-1": 3}),
        (Bucket(0, 3, accounts=[PROD]), {"us-east-1": 10}),
        (Bucket(0, 3, operations=["ListVolumes"]), {"us-east-1": 8}),
        (Bucket(0, 3, per_operation=True), {"us-east-1": 6}),
        (Bucket(0, 3, service="sts"), {"us-east-1": 10}),
        (Bucket(0, 3, changes=[(0, 1e9)]), {"us-east-1": 10}),
        (Bucket(0, 3, changes=[(3600, 1e9)]), {"us-east-1": 3}),
    ],
)
async def test_a_bucket_belongs_to_an_account_and_region(bucket: Bucket, admitted: dict[str, int]) -> None:
    async with Emulator(Fleet([Account(HUB), Account(PROD)], throttle=[bucket])) as emulator:

        def use(region: str) -> int:
            api = client(emulator, "storagegateway", region)
            good, codes = 0, set()
            for method in (api.list_gateways, api.list_volumes):
                for _ in range(5):
                    try:
                        method()
                        good += 1
                    except ClientError as error:
                        codes.add(error.response["Error"]["Code"])
            assert codes <= {"ThrottlingException"}
            return good

        for region, count in admitted.items():
            assert await in_thread(lambda region=region: use(region)) == count  # type: ignore[misc]

"""A role for whoever brings an identity provider's token: the one call that no key signs."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws

from scanner.emulator import Account, Emulator, Fault, Fleet, Role

from ..clients import ISSUER, client, in_thread, token

PROD = "222222222222"
PROVIDER = f"arn:aws:iam::{PROD}:oidc-provider/oidc.example.com/id/42"


def fleet(**role: Any) -> Fleet:
    accounts = [Account("111111111111"), Account(PROD, roles=[Role("scan", **role)])]
    return Fleet(accounts)


def assume(api: Any, text: str | None = None, **options: Any) -> Any:
    given = {
        "RoleArn": f"arn:aws:iam::{PROD}:role/scan",
        "RoleSessionName": "tests",
        "WebIdentityToken": text or token(),
        **options,
    }
    return api.assume_role_with_web_identity(**given)


@pytest.mark.parametrize("trust", ["*", PROVIDER])
async def test_a_good_token_opens_a_role_that_trusts_its_provider(trust: str) -> None:
    """Like every role its session may do what both policies allow; the call counts for the role's account."""
    nothing = json.dumps({"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})
    async with Emulator(fleet(trust=(trust,))) as emulator:

        def use() -> None:
            for policy in ({}, {"Policy": nothing}):
                answer = assume(client(emulator, "sts"), **policy)
                assert (answer["Provider"], answer["Audience"]) == (ISSUER, "sts")
                assert answer["SubjectFromWebIdentityToken"] == "system:scanner"
                keys = answer["Credentials"]
                api = client(
                    emulator,
                    "storagegateway",
                    aws_access_key_id=keys["AccessKeyId"],
                    aws_secret_access_key=keys["SecretAccessKey"],
                    aws_session_token=keys["SessionToken"],
                )
                if policy:
                    with pytest.raises(ClientError, match="explicit deny in a session policy"):
                        api.list_gateways()
                else:
                    assert api.list_gateways()["Gateways"] == []

        await in_thread(use)
        assert emulator.count("AssumeRoleWithWebIdentity", account=PROD) == 2
        assert emulator.mismatches == 0


@pytest.mark.parametrize(
    ("text", "options", "code", "told"),
    [
        (token(expires_in=-1), {}, "ExpiredTokenException", "Token expired"),
        ("no.jwt", {}, "InvalidIdentityToken", "not a valid JWT"),
        ("no.jwt.either", {}, "InvalidIdentityToken", "not a valid JWT"),
        (token(exp="soon"), {}, "InvalidIdentityToken", "not a valid JWT"),
        (token(sub=7), {}, "InvalidIdentityToken", "not a valid JWT"),
        ("abc", {}, "ValidationError", "webIdentityToken"),
        (token("https://elsewhere.example.com"), {}, "AccessDenied", "Not authorized to perform sts:Assume"),
        (token(), {"RoleArn": f"arn:aws:iam::{PROD}:role/missing"}, "AccessDenied", "Not authorized"),
        (token(), {"RoleArn": "no role at all, but long"}, "ValidationError", "is invalid"),
        (token(), {"DurationSeconds": 7200}, "ValidationError", "MaxSessionDuration"),
    ],
)
async def test_what_is_wrong_with_the_token_or_the_role_is_told_as_sts_does(
    text: str, options: dict[str, Any], code: str, told: str
) -> None:
    async with Emulator(fleet(trust=(PROVIDER,))) as emulator:

        def use() -> None:
            sts = client(emulator, "sts", config={"parameter_validation": False})
            with pytest.raises(ClientError, match=told) as refused:
                assume(sts, text, **options)
            assert refused.value.response["Error"]["Code"] == code

        await in_thread(use)


async def test_a_suspended_account_lets_no_bearer_in() -> None:
    served = fleet()
    served.accounts[1].state = "SUSPENDED"
    async with Emulator(served) as emulator:

        def use() -> None:
            with pytest.raises(ClientError, match="Not authorized"):
                assume(client(emulator, "sts"))

        await in_thread(use)


async def test_a_fault_strikes_the_unsigned_call_like_any_other() -> None:
    served = fleet()
    served.faults = [Fault("throttle", service="sts", operation="AssumeRoleWithWebIdentity", account=PROD)]
    async with Emulator(served) as emulator:

        def use() -> None:
            with pytest.raises(ClientError, match="Rate exceeded"):
                assume(client(emulator, "sts"))

        await in_thread(use)


async def test_the_answer_looks_as_it_does_in_moto() -> None:
    async with Emulator(fleet()) as emulator:

        def use() -> None:
            ours = assume(client(emulator, "sts"))
            with mock_aws():
                session: Any = boto3.session.Session()
                keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
                theirs = assume(
                    session.client(
                        "sts", "us-east-1", config=Config(retries={"total_max_attempts": 1}), **keys
                    )
                )
            assert ours["Credentials"].keys() == theirs["Credentials"].keys()
            assert ours["AssumedRoleUser"]["Arn"] == theirs["AssumedRoleUser"]["Arn"]
            # moto reads no token, so it has nothing to tell of one, and always packs a policy.
            assert theirs.keys() - ours.keys() <= {"PackedPolicySize"}

        await in_thread(use)

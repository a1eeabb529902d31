from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws

from scanner.emulator import Account, Bucket, Emulator, Fleet, Gateway, Key, Role
from scanner.emulator.fleets.statements import ALLOW_ALL

from ..clients import assume, client, in_thread

HUB, PROD = "111111111111", "222222222222"
READ = {"Effect": "Allow", "Action": "storagegateway:List*", "Resource": "*"}


def fleet(*roles: Role) -> Fleet:
    gateways = [
        Gateway("sgw-12A3456B", "us-east-1", tags={"tier": "1"}),
        Gateway("sgw-12A3456C", "us-east-1"),
    ]
    return Fleet([Account(HUB, roles=[Role("hub")]), Account(PROD, roles=list(roles), gateways=gateways)])


def arn(name: str, account: str = PROD) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def code_of(work: Callable[[], Any]) -> tuple[str, int]:
    with pytest.raises(ClientError) as refused:
        work()
    response = refused.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


async def test_trust_external_id_and_existence_are_all_refused_alike() -> None:
    roles = (
        Role("reader", trust=(HUB,), external_id="right"),
        Role("stranger", trust=("999999999999",)),
        Role("by-arn", trust=(arn("hub", HUB),)),
        Role("by-root", trust=(f"arn:aws:iam::{HUB}:root",)),
    )
    async with Emulator(fleet(*roles)) as emulator:

        def use() -> None:
            denied = ("AccessDenied", 403)
            assert code_of(lambda: assume(emulator, arn("reader"))) == denied
            assert code_of(lambda: assume(emulator, arn("reader"), ExternalId="wrong")) == denied
            assert code_of(lambda: assume(emulator, arn("stranger"))) == denied
            assert code_of(lambda: assume(emulator, arn("missing"))) == denied
            assert code_of(lambda: assume(emulator, arn("by-arn"))) == denied
            assert assume(emulator, arn("reader"), ExternalId="right")
            assert assume(emulator, arn("by-root"))
            assert assume(emulator, arn("by-arn"), source=assume(emulator, arn("hub", HUB)))

        await in_thread(use)


@pytest.mark.parametrize("state", ["SUSPENDED", "CLOSED"])
async def test_no_role_of_a_closed_account_can_be_had(state: str) -> None:
    served = fleet(Role("reader"))
    served.accounts[1].state = state
    async with Emulator(served) as emulator:
        code = await in_thread(lambda: code_of(lambda: assume(emulator, arn("reader"))))
    assert code == ("AccessDenied", 403)


async def test_a_session_may_do_what_both_its_role_and_its_session_policy_allow() -> None:
    served = fleet(Role("reader", policy=[READ]), Role("all"))
    prod = served.accounts[1]
    points = "list_volume_recovery_points"
    async with Emulator(served) as emulator:

        def session(role: str, *statements: dict[str, Any]) -> Any:
            policy = {"Policy": json.dumps({"Statement": list(statements)})} if statements else {}
            return client(emulator, "storagegateway", **assume(emulator, arn(role), **policy))

        def use() -> None:
            first, second = (prod.arn_of(gateway) for gateway in prod.gateways)
            narrow = {
                "Effect": "Allow",
                "Action": ["storagegateway:ListVolumeRecoveryPoints"],
                "Resource": first,
            }
            tagged = {
                "Effect": "Allow",
                "Action": "*",
                "Resource": "*",
                "Condition": {"StringLike": {"aws:ResourceTag/tier": ["1*"]}},
            }
            deny = {"Effect": "Deny", "NotAction": "storagegateway:ListGateways", "NotResource": second}
            denied = ("AccessDeniedException", 400)

            role = session("reader")
            assert role.list_gateways()["Gateways"]
            assert code_of(lambda: role.describe_gateway_information(GatewayARN=first)) == denied
            narrowed = session("reader", narrow)
            narrowed.list_volume_recovery_points(GatewayARN=first)
            for refused in (
                lambda: narrowed.list_volume_recovery_points(GatewayARN=second),
                narrowed.list_gateways,
            ):
                assert code_of(refused) == denied
            by_tag = session("all", tagged)
            getattr(by_tag, points)(GatewayARN=first)
            assert code_of(lambda: getattr(by_tag, points)(GatewayARN=second)) == denied
            but = session("all", ALLOW_ALL, deny)
            but.list_gateways()
            getattr(but, points)(GatewayARN=second)
            with pytest.raises(ClientError, match="with an explicit deny in a session policy"):
                getattr(but, points)(GatewayARN=first)
            with pytest.raises(ClientError, match="because no session policy allows the storag"):
                narrowed.list_gateways()

        await in_thread(use)


@pytest.mark.parametrize(
    ("condition", "tagged", "untagged"),
    [
        ({"StringEquals": {"aws:ResourceTag/tier": ["1", "2"]}}, True, False),
        ({"StringEquals": {"AWS:resourcetag/TIER": "1"}}, True, False),
        ({"StringEquals": {"aws:ResourceTag/tier": "9"}}, False, False),
        ({"StringLike": {"aws:ResourceTag/tier": "?"}}, True, False),
        ({"StringNotEquals": {"aws:ResourceTag/tier": "1"}}, False, True),
        ({"StringNotLike": {"aws:ResourceTag/tier": "2*"}}, True, True),
        ({"StringEqualsIfExists": {"aws:ResourceTag/tier": "1"}}, True, True),
        ({"StringEqualsIfExists": {"aws:ResourceTag/tier": "9"}}, False, True),
        ({"NumericLessThan": {"aws:ResourceTag/tier": "9"}}, False, False),
    ],
)
async def test_conditions_on_tags_hold_as_in_iam(
    condition: dict[str, Any], tagged: bool, untagged: bool
) -> None:
    served = fleet(Role("reader", policy=[{**ALLOW_ALL, "Condition": condition}]))
    prod = served.accounts[1]
    async with Emulator(served) as emulator:

        def use() -> list[bool]:
            api = client(emulator, "storagegateway", **assume(emulator, arn("reader")))
            allowed = []
            for gateway in prod.gateways:
                try:
                    api.list_volume_recovery_points(GatewayARN=prod.arn_of(gateway))
                    allowed.append(True)
                except ClientError:
                    allowed.append(False)
            return allowed

        assert await in_thread(use) == [tagged, untagged]


async def test_credentials_end_when_they_said_they_would() -> None:
    async with Emulator(fleet(Role("reader"))) as emulator:

        def use() -> None:
            keys = assume(emulator, arn("reader"), DurationSeconds=900)
            api = client(emulator, "storagegateway", **keys)
            api.list_gateways()
            # Moving the clock instead would spoil the signatures of a client that keeps the real one.
            session = next(iter(emulator.sessions.values()))
            assert session.expires_at is not None
            session.expires_at -= 901
            assert code_of(api.list_gateways) == ("ExpiredTokenException", 400)
            assert code_of(client(emulator, "sts", **keys).get_caller_identity) == ("ExpiredToken", 403)

        await in_thread(use)


async def test_durations_are_bounded_by_the_role_and_by_chaining() -> None:
    async with Emulator(fleet(Role("short"), Role("long", max_session_seconds=43_200))) as emulator:

        def use() -> None:
            invalid = ("ValidationError", 400)
            assert assume(emulator, arn("long"), DurationSeconds=43_200)
            assert code_of(lambda: assume(emulator, arn("short"), DurationSeconds=3601)) == invalid
            hub = assume(emulator, arn("hub", HUB))
            assert code_of(lambda: assume(emulator, arn("long"), DurationSeconds=3601, source=hub)) == invalid
            assert assume(emulator, arn("long"), DurationSeconds=3600, source=hub)

        await in_thread(use)


STATEMENT = '{"Statement": [{"Effect": "Allow", %s}]}'


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"RoleSessionName": "no blanks"}, "ValidationError"),
        ({"RoleSessionName": "x"}, "ValidationError"),
        ({"RoleSessionName": "x" * 65}, "ValidationError"),
        ({"RoleArn": "arn:aws:iam::1:role/x"}, "ValidationError"),
        ({"RoleSessionName": None}, "ValidationError"),
        ({"DurationSeconds": 899}, "ValidationError"),
        ({"DurationSeconds": "an hour"}, "MalformedInput"),
        ({"DurationSeconds": 43_201}, "ValidationError"),
        ({"ExternalId": "x"}, "ValidationError"),
        ({"Policy": "{"}, "MalformedPolicyDocument"),
        ({"Policy": "{}"}, "MalformedPolicyDocument"),
        ({"Policy": '{"Statement": [{"Effect": "Maybe"}]}'}, "MalformedPolicyDocument"),
        ({"Policy": '{"Statement": 3}'}, "MalformedPolicyDocument"),
        ({"Policy": "[" * 2048}, "MalformedPolicyDocument"),
        ({"Policy": STATEMENT % '"Action": 7, "Resource": "*"'}, "MalformedPolicyDocument"),
        ({"Policy": STATEMENT % '"Action": "*", "Resource": [7]'}, "MalformedPolicyDocument"),
        ({"Policy": STATEMENT % '"Action": "*"'}, "MalformedPolicyDocument"),
        ({"Policy": STATEMENT % '"Action": "*", "Resource": "*", "Condition": 7'}, "MalformedPolicyDocument"),
        ({"DurationSeconds": "\u00b2"}, "MalformedInput"),
        ({"Policy": " " * 2049}, "ValidationError"),
    ],
)
async def test_a_malformed_request_is_refused_before_anybody_is_trusted(
    arguments: dict[str, Any], code: str
) -> None:
    async with Emulator(fleet(Role("reader"))) as emulator:

        def use() -> None:
            sts = client(emulator, "sts", config={"parameter_validation": False})
            given = {"RoleArn": arn("reader"), "RoleSessionName": "tests", **arguments}
            given = {name: value for name, value in given.items() if value is not None}
            assert code_of(lambda: sts.assume_role(**given)) == (code, 400)

        await in_thread(use)


async def test_session_tags_need_their_own_permission() -> None:
    served = fleet(Role("reader"))
    served.accounts[0].keys = [
        Key("AKIATAGS", "s"),
        Key("AKIANOTAGS", "s", policy=[{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]),
    ]
    tags = [{"Key": "scan", "Value": "1"}]
    async with Emulator(served) as emulator:

        def use() -> None:
            for name in ("AKIATAGS", "AKIANOTAGS"):
                source = {"aws_access_key_id": name, "aws_secret_access_key": "s"}
                if name == "AKIATAGS":
                    assume(emulator, arn("reader"), source=source, Tags=tags)
                else:
                    refused = lambda: assume(emulator, arn("reader"), source=source, Tags=tags)  # noqa: E731, B023
                    assert code_of(refused) == ("AccessDenied", 403)

        await in_thread(use)
        assert [dict(session.tags) for session in emulator.sessions.values()] == [{"scan": "1"}]


@pytest.mark.parametrize(
    "arguments",
    [
        {"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]},
        {"TransitiveTagKeys": ["scan"]},
        {"SourceIdentity": "me"},
        {"SerialNumber": "arn:aws:iam::111111111111:mfa/me", "TokenCode": "123456"},
        {
            "ProvidedContexts": [
                {"ProviderArn": "arn:aws:iam::aws:contextProvider/x", "ContextAssertion": "xxxx"}
            ]
        },
    ],
    ids=lambda arguments: next(iter(arguments)),
)
async def test_what_would_change_a_session_is_honoured_or_refused_and_never_ignored(
    arguments: dict[str, Any],
) -> None:
    """A session that could do more than was asked for would hide what AWS refuses."""
    name = next(iter(arguments))
    async with Emulator(fleet(Role("reader"))) as emulator:

        def use() -> None:
            with pytest.raises(ClientError, match=f"does not support the parameter {name} of AssumeRole"):
                assume(emulator, arn("reader"), **arguments)

        await in_thread(use)
        assert not emulator.sessions


async def test_a_session_has_fifty_tags_at_most() -> None:
    async with Emulator(fleet(Role("reader"))) as emulator:

        def use() -> None:
            tags = [{"Key": f"key-{number}", "Value": "x"} for number in range(51)]
            assume(emulator, arn("reader"), Tags=tags[:50])
            assert code_of(lambda: assume(emulator, arn("reader"), Tags=tags)) == ("ValidationError", 400)

        await in_thread(use)
        assert [len(session.tags) for session in emulator.sessions.values()] == [50]


async def test_a_role_whose_trust_allows_no_tags_is_had_without_them_only() -> None:
    tags = [{"Key": "scan", "Value": "1"}]
    async with Emulator(fleet(Role("reader", trust_tags=False))) as emulator:

        def use() -> None:
            assume(emulator, arn("reader"))
            with pytest.raises(ClientError, match="not authorized to perform: sts:TagSession on resource"):
                assume(emulator, arn("reader"), Tags=tags)

        await in_thread(use)


async def test_sts_throttles_by_its_own_bucket() -> None:
    served = fleet(Role("reader"))
    served.throttle = [Bucket(0, 2, service="sts", operations=["AssumeRole"])]
    async with Emulator(served) as emulator:

        def use() -> None:
            assume(emulator, arn("reader"))
            assume(emulator, arn("reader"))
            assert code_of(lambda: assume(emulator, arn("reader"))) == ("Throttling", 400)
            client(emulator, "sts").get_caller_identity()

        await in_thread(use)
        assert emulator.requests["sts", "AssumeRole", HUB, "us-east-1"] == 3
        assert emulator.limits.throttled == 1


async def test_roles_and_identities_look_as_they_do_in_moto() -> None:
    """moto checks no trust and always packs a policy; the rest must be the same for a trusted caller."""
    options = {"RoleArn": arn("reader"), "RoleSessionName": "tests"}

    def seen(sts_with: Callable[..., Any]) -> dict[str, str]:
        answer = sts_with().assume_role(**options)
        keys = answer["Credentials"]
        chained = sts_with(
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        identity = chained.get_caller_identity()
        return {
            "members": str(sorted(answer.keys() - {"ResponseMetadata", "PackedPolicySize"}) + sorted(keys)),
            "key": re.sub(r"[A-Z0-9]{16}$", "", keys["AccessKeyId"]),
            "arn": answer["AssumedRoleUser"]["Arn"],
            "role id": re.sub(r"[A-Z0-9]{17}:", ":", identity["UserId"]),
            "identity": identity["Arn"],
            "account": identity["Account"],
            "kind": answer["ResponseMetadata"]["HTTPHeaders"]["content-type"].partition(";")[0],
        }

    async with Emulator(fleet(Role("reader"))) as emulator:

        def use() -> None:
            ours = seen(lambda **keys: client(emulator, "sts", **keys))
            with mock_aws():
                test = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
                session: Any = boto3.session.Session()
                config = Config(retries={"total_max_attempts": 1})
                theirs = seen(
                    lambda **keys: session.client("sts", "us-east-1", config=config, **{**test, **keys})
                )
                too_long = {**options, "RoleSessionName": "x" * 65}
                api = session.client("sts", "us-east-1", config=Config(parameter_validation=False), **test)
                their_code = code_of(lambda: api.assume_role(**too_long))
            assert ours == theirs
            session_id = client(emulator, "sts", **assume(emulator, arn("reader"))).get_caller_identity()
            again = client(emulator, "sts", **assume(emulator, arn("reader"))).get_caller_identity()
            assert session_id["UserId"] == again["UserId"]
            own = client(emulator, "sts", config={"parameter_validation": False})
            assert code_of(lambda: own.assume_role(**too_long)) == their_code

        await in_thread(use)

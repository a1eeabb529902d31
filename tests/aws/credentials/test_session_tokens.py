"""Credentials for which something else answers: a sign-in, an identity provider's token, an agent nearby."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiobotocore.utils import AioContainerMetadataFetcher

from scanner.emulator import Fault
from tests.aws.profiles import FUTURE, KEY, PAST, ROLE, SECRET, Ground, loopback, opened, refused
from tests.aws.scans import PROD, REGION
from tests.emulator.clients import token

MEND = "mend the profile 'prod', or what it reads its credentials from"
MEND_BASE = "mend the environment, or the files that the SDK reads the base identity's credentials from"
BY_ROLE = {"role": "scan"}

URL = "https://example.com/start"
SETTINGS = f"sso_account_id = {PROD}\nsso_role_name = scan\nregion = {REGION}\n"
SESSION = f"[sso-session corp]\nsso_region = {REGION}\nsso_start_url = {URL}\n"
SIGNED_IN = f"sso_session = corp\n{SETTINGS}{SESSION}"
LEGACY = f"sso_start_url = {URL}\nsso_region = {REGION}\n{SETTINGS}"
REFRESH = {
    "refreshToken": "hush-refresh",
    "clientId": "client",
    "clientSecret": "hush-client",
    "registrationExpiresAt": FUTURE,
}


def sso_portal(keys: dict[str, str]) -> dict[str, Any]:
    """What the sign-in portal has for the bearer of its token."""
    ends = datetime.now(UTC) + timedelta(hours=1)
    role = {
        "accessKeyId": keys["aws_access_key_id"],
        "secretAccessKey": keys["aws_secret_access_key"],
        "sessionToken": keys["aws_session_token"],
        "expiration": int(ends.timestamp() * 1000),
    }
    return {"/federation/credentials": {"roleCredentials": role}}


@pytest.mark.parametrize(("profile", "name"), [(SIGNED_IN, "corp"), (LEGACY, URL)])
async def test_whoever_is_signed_in_gets_into_the_account(here: Ground, profile: str, name: str) -> None:
    here.signed_in(name, FUTURE)
    async with loopback(sso_portal(await here.issued())) as portal:
        here.patch.setenv("AWS_ENDPOINT_URL_SSO", portal.url)
        opened(await here.scan(f"[profile prod]\n{profile}"))


@pytest.mark.parametrize(
    ("text", "login"),
    [
        (f"[profile prod]\n{SIGNED_IN}", "--profile prod"),
        (f"[profile prod]\n{LEGACY}", "--profile prod"),
        (
            f"[profile prod]\nrole_arn = {ROLE}\nsource_profile = corp-sso\n[profile corp-sso]\n{SIGNED_IN}",
            "--profile corp-sso",
        ),
        (
            f"[profile prod]\nrole_arn = {ROLE}\nsource_profile = hub\n"
            f"[profile hub]\nrole_arn = {ROLE}\nsource_profile = corp-sso\n[profile corp-sso]\n{SIGNED_IN}",
            "--profile corp-sso",
        ),
        (f"[profile prod]\nrole_arn = {ROLE}\nsource_profile = default\n[default]\n{SIGNED_IN}", ""),
    ],
)
@pytest.mark.parametrize("left", ["nothing", "expired", "expired for good", "nonsense"])
async def test_a_session_that_has_expired_is_told_with_the_command_that_renews_it(
    here: Ground, text: str, login: str, left: str
) -> None:
    """Of the profile that has the settings for the sign-in, through which others may come."""
    for name in ("corp", URL):
        if left.startswith("expired"):
            here.signed_in(name, PAST, **({} if "good" in left else REFRESH))
        elif left == "nonsense":
            here.signed_in(name, "tomorrow")
    command = f"run `aws sso login {login}`$" if login else "run `aws sso login`$"
    cause = "their Expiration is no time" if left == "nonsense" else "(?i:token|session)"
    refused(await here.scan(text), cause, command)


async def test_a_sign_in_that_the_environment_chose_is_told_by_its_name(here: Ground) -> None:
    here.without_keys()
    here.patch.setenv("AWS_PROFILE", "corp-sso")
    found = await here.scan(f"[profile corp-sso]\n{SIGNED_IN}", **BY_ROLE)
    refused(found, "Token for corp does not exist", "run `aws sso login --profile corp-sso`$")


@pytest.mark.parametrize(
    ("refusal", "cause", "remedy"),
    [
        (
            (401, "UnauthorizedException"),
            "has expired or is otherwise invalid",
            "run `aws sso login --profile",
        ),
        ((403, "ForbiddenException"), "go", MEND),
    ],
)
async def test_a_sign_in_that_the_portal_does_not_take_is_told(
    here: Ground, refusal: tuple[int, str], cause: str, remedy: str
) -> None:
    here.signed_in("corp", FUTURE)
    async with loopback({"/federation/credentials": refusal}) as portal:
        here.patch.setenv("AWS_ENDPOINT_URL_SSO", portal.url)
        refused(await here.scan(f"[profile prod]\n{SIGNED_IN}"), cause, remedy)


def bearing(here: Ground, text: str | None, *, by_profile: bool) -> tuple[str, dict[str, str]]:
    """The profiles, and the way into the account, of who has an identity provider's token in a file."""
    place = here.write("token", text) if text is not None else str(here.folder / "no-token")
    if by_profile:
        return f"[profile prod]\nrole_arn = {ROLE}\nweb_identity_token_file = {place}\n", {}
    here.without_keys()
    here.patch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", place)
    here.patch.setenv("AWS_ROLE_ARN", ROLE)
    return "", BY_ROLE


@pytest.mark.parametrize("by_profile", [True, False])
async def test_a_token_of_an_identity_provider_opens_its_account(here: Ground, by_profile: bool) -> None:
    profiles, way = bearing(here, token(), by_profile=by_profile)
    opened(await here.scan(profiles, **way))


@pytest.mark.parametrize("by_profile", [True, False])
@pytest.mark.parametrize(
    ("text", "cause", "remedy"),
    [
        (None, "no-token: No such file or directory", "mend the "),
        (
            token(expires_in=-1),
            "Token expired: current date/time",
            "renew the token that the profile or AWS_",
        ),
        (
            "hush.garbage",
            "not a valid JWT",
            "renew the token that the profile or AWS_WEB_IDENTITY_TOKEN_FILE",
        ),
        ("", "Invalid length for parameter WebIdentityToken", "mend the "),
    ],
)
async def test_a_token_that_is_none_or_no_longer_good_is_told(
    here: Ground, by_profile: bool, text: str | None, cause: str, remedy: str
) -> None:
    profiles, way = bearing(here, text, by_profile=by_profile)
    refused(await here.scan(profiles, **way), cause, remedy)


async def test_a_role_that_does_not_trust_the_tokens_provider_is_told(here: Ground) -> None:
    here.emulator.fleet.accounts[1].roles[0].trust = (PROD,)
    profiles, way = bearing(here, token(), by_profile=True)
    cause = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
    refused(await here.scan(profiles, **way), cause, "it must name the token's identity provider and subject")


def agent_keys(**changes: Any) -> dict[str, Any]:
    made = {"AccessKeyId": KEY, "SecretAccessKey": SECRET, "Token": None, "Expiration": FUTURE, **changes}
    return {key: value for key, value in made.items() if value != "left out"}


def asking(here: Ground, url: str, proof: str = "hush-proof") -> None:
    """Leads the base identity to the agent of a container."""
    here.without_keys()
    here.patch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
    here.patch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", proof)


async def test_the_agent_of_a_container_gives_keys_to_who_brings_its_token(here: Ground) -> None:
    async with loopback({"/keys": agent_keys()}) as agent:
        asking(here, f"{agent.url}/keys")
        opened(await here.scan(**BY_ROLE))
    assert agent.tokens == ["hush-proof"]


async def test_a_profile_may_name_the_agent_as_its_source(here: Ground) -> None:
    async with loopback({"/keys": agent_keys()}) as agent:
        here.patch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{agent.url}/keys")
        opened(await here.scan(f"[profile prod]\nrole_arn = {ROLE}\ncredential_source = EcsContainer\n"))


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ("hello", "Unable to parse JSON"),
        ([], "they came in another form than the SDK reads"),
        (agent_keys(Token="left out"), "'Token' is missing"),
        (agent_keys(Expiration="tomorrow"), "their Expiration is no time"),
        (agent_keys(Expiration=PAST), "they had expired when they came"),
        (agent_keys(SecretAccessKey=""), "lack the access key or its secret"),
        ((403, "Forbidden"), "Received non 200 response 403"),
    ],
)
async def test_an_agent_that_gives_no_keys_is_told_with_what_was_wrong(
    here: Ground, answer: Any, cause: str
) -> None:
    here.patch.setattr(AioContainerMetadataFetcher, "SLEEP_TIME", 0)
    async with loopback({"/keys": answer}) as agent:
        asking(here, f"{agent.url}/keys")
        refused(await here.scan(**BY_ROLE), cause, MEND_BASE)


@pytest.mark.parametrize(
    ("url", "proof", "cause"),
    [
        (
            "http://example.com/hush",
            "hush",
            "Unsupported host 'example.com'.*from a loopback address or one of",
        ),
        ("nothing", "hush", "Unsupported host 'None'"),
        ("http://127.0.0.1:9/keys", "hush-proof\nand more", "Auth token value is not a legal header value"),
        ("http://127.0.0.1:9/keys", "hush", "Could not connect to the endpoint URL"),
    ],
)
async def test_an_agent_that_cannot_be_asked_is_told_with_the_reason(
    here: Ground, url: str, proof: str, cause: str
) -> None:
    here.patch.setattr(AioContainerMetadataFetcher, "SLEEP_TIME", 0)
    asking(here, url, proof)
    refused(await here.scan(**BY_ROLE), cause, MEND_BASE)


PATH = "/latest/meta-data/iam/security-credentials/"


async def test_the_role_of_an_instance_opens_its_account(here: Ground) -> None:
    keys = {"Code": "Success", **agent_keys(Token="hush")}
    del keys["Token"]
    answers = {
        "/latest/api/token": "hush-token",
        PATH: "the-role",
        f"{PATH}the-role": {**keys, "Token": None},
    }
    async with loopback(answers) as instance:
        here.without_keys()
        here.patch.setenv("AWS_EC2_METADATA_DISABLED", "false")
        here.patch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", instance.url)
        opened(await here.scan(**BY_ROLE))


async def test_an_instance_without_a_role_has_no_credentials(here: Ground) -> None:
    async with loopback({"/latest/api/token": "hush-token"}) as instance:
        here.without_keys()
        here.patch.setenv("AWS_EC2_METADATA_DISABLED", "false")
        here.patch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", instance.url)
        refused(await here.scan(**BY_ROLE), "no credentials were found", "sign in")


async def test_sts_that_throttles_a_profile_is_told_as_something_that_passes(here: Ground) -> None:
    here.emulator.faults.add(Fault("throttle", service="sts", operation="AssumeRole"))
    text = f"[profile prod]\nrole_arn = {ROLE}\nsource_profile = lab\n"
    here.patch.setenv("AWS_MAX_ATTEMPTS", "1")
    refused(await here.scan(text), "Rate exceeded", "scan again later")

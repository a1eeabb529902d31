"""A profile of an account leads where its own settings say, not where those of the base identity do."""

from pathlib import Path

import pytest
from botocore.httpsession import get_cert_path

from scanner import Scanner
from scanner.aws.credentials.sessions import Sessions
from scanner.emulator import Account, Emulator, Fleet, Key
from scanner.inventory.records import FailureKind
from tests.aws.scans import HUB, PROD, REGION, calls, config, environment, gateway, shown

Patch = pytest.MonkeyPatch
KEYS = Key("AKIABASEBASEBASEBASE", "secret-of-the-base"), Key("AKIAPRODPRODPRODPROD", "secret-of-prod")


def profile(name: str, key: Key, settings: str) -> str:
    return f"[{name}]\naws_access_key_id = {key.id}\naws_secret_access_key = {key.secret}\n{settings}\n"


def configure(folder: Path, monkeypatch: Patch, base: str, prod: str, more: str = "") -> None:
    file = folder / "config"
    file.write_text(profile("default", KEYS[0], base) + profile("profile prod", KEYS[1], prod) + more)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


BOTH = config({"id": HUB, "profile": "default"}, {"id": PROD, "profile": "prod"})


@pytest.mark.parametrize("way", ["endpoint_url", "services"])
async def test_each_profile_is_asked_at_its_own_endpoint(
    monkeypatch: Patch, tmp_path: Path, way: str
) -> None:
    """Each of the two services knows one of the accounts only."""
    accounts = (
        Account(HUB, "hub", (REGION,), [gateway(1)], keys=[KEYS[0]]),
        Account(PROD, "prod", (REGION,), [gateway(2)], keys=[KEYS[1]]),
    )
    async with Emulator(Fleet([accounts[0]])) as base, Emulator(Fleet([accounts[1]])) as own:
        environment(base, monkeypatch)
        section = f"sts =\n  endpoint_url = {own.url}\nstorage_gateway =\n  endpoint_url = {own.url}\n"
        configure(
            tmp_path,
            monkeypatch,
            f"endpoint_url = {base.url}",
            f"endpoint_url = {own.url}" if way == "endpoint_url" else "services = ours",
            f"[services ours]\n{section}",
        )
        async with Scanner(BOTH) as scanner:
            found = await scanner.scan()
        assert calls(base, "ListGateways") == calls(own, "ListGateways") == 1
    assert not found.failures
    assert [volume.account_id for volume in found.volumes] == [HUB, PROD]


async def test_a_profiles_own_switches_are_heeded(monkeypatch: Patch, tmp_path: Path) -> None:
    """Of two profiles the one that asks for an endpoint that does not exist fails, and the other does not."""
    hub = Account(HUB, "hub", ("us-isof-south-1",), [gateway(1, "us-isof-south-1")], keys=[KEYS[0]])
    async with Emulator(Fleet([hub])) as emulator:
        environment(emulator, monkeypatch)
        at = f"region = us-isof-south-1\nendpoint_url = {emulator.url}"
        configure(tmp_path, monkeypatch, at, f"{at}\nuse_dualstack_endpoint = true")
        monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
        settings = config(
            {"id": HUB, "profile": "default"},
            {"id": PROD, "profile": "prod"},
            scan={"regions": ["us-isof-south-1"]},
        )
        async with Scanner(settings) as scanner:
            found = await scanner.scan()
    assert [(each.account_id, each.kind) for each in found.failures] == [(PROD, FailureKind.NETWORK)]
    assert "AWS_USE_DUALSTACK_ENDPOINT" in shown(found.failures[0])
    assert [volume.account_id for volume in found.volumes] == [HUB]


@pytest.mark.parametrize(
    ("base", "prod", "shared"),
    [
        ("region = us-east-1", "region = eu-west-1", True),
        ("endpoint_url = https://h", "endpoint_url = https://h", True),
        ("", "endpoint_url = https://h", False),
        ("", "services = ours", False),
        ("", "use_fips_endpoint = true", False),
        ("", "use_dualstack_endpoint = true", False),
        ("use_fips_endpoint = false", "use_fips_endpoint = true", False),
        ("", "ca_bundle = {bundle}", False),
        ("ca_bundle = {bundle}", "ca_bundle = {bundle}", True),
    ],
)
async def test_profiles_share_clients_exactly_where_their_settings_are_the_same(
    monkeypatch: Patch, tmp_path: Path, base: str, prod: str, shared: bool
) -> None:
    """A client costs megabytes, so a thousand profiles must not have one each."""
    bundle = get_cert_path(True)
    configure(
        tmp_path,
        monkeypatch,
        base.format(bundle=bundle),
        prod.format(bundle=bundle),
        "[services ours]\nsts =\n  endpoint_url = https://h\n",
    )
    found = await Sessions(None, {"prod": "accounts[1].profile"}, 5).obtain("prod")
    assert found.profile == (None if shared else "prod")

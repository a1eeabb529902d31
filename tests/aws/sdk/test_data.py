"""The SDK's data files are read once for all profiles, and what is dropped of them changes no endpoint."""

from pathlib import Path
from typing import Any

import botocore.session
import pytest
from aiobotocore.session import get_session
from botocore.exceptions import EndpointVariantError, NoRegionError
from botocore.loaders import create_loader
from botocore.regions import EndpointResolver

from scanner.aws.credentials.sessions import Sessions
from scanner.aws.sdk.data import ENDPOINTS, share_data
from scanner.aws.sdk.session import core_of

ASKED = (
    *("storagegateway", "sts", "organizations", "account", "ec2", "tagging"),
    *("s3", "sns", "events"),
    *("portal.sso", "oidc", "signin"),
)
"""By the names that endpoints have: for scans, for outputs and messages, by the SDK for credentials."""


@pytest.fixture(autouse=True)
def _read_anew(_models_read_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore.session, "create_loader", create_loader)


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config"
    file.write_text(f"[profile one]\n[profile two]\n[profile apart]\ndata_path = {tmp_path}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.delenv("AWS_DATA_PATH", raising=False)


@pytest.mark.usefixtures("profiles")
def test_all_profiles_share_one_reading_but_for_those_with_a_data_path_of_their_own() -> None:
    sessions = Sessions(None, dict.fromkeys(("one", "two", "apart"), "accounts[1].profile"), 1)
    base, one, two, apart = (
        core_of(sessions.of(name)).get_component("data_loader") for name in (None, "one", "two", "apart")
    )
    assert base is one is two
    assert apart is not one


def test_a_loader_keeps_what_it_has_read() -> None:
    """Seen in aiobotocore 2.25 and 3.10."""
    loader = get_session().get_component("data_loader")
    assert loader.load_data("endpoints") is loader.load_data("endpoints")


def test_every_service_that_is_asked_is_found_where_it_was_before_others_were_dropped() -> None:
    whole, core = get_session(), get_session()
    share_data(core, {})
    before, after = (
        EndpointResolver(each.get_component("data_loader").load_data("endpoints")) for each in (whole, core)
    )
    regions = [
        name
        for partition in before.get_available_partitions()
        for name in before.get_available_endpoints("ec2", partition)
    ]
    assert len(regions) > 30
    for service in ASKED:
        for region in [*regions, "us-future-9", None]:
            assert endpoints(after, service, region) == endpoints(before, service, region), (service, region)


def endpoints(resolver: EndpointResolver, service: str, region: str | None) -> list[Any]:
    """Plain, by FIPS and by dual stack; None where the data have none of that kind."""
    found = []
    for fips, dual in ((False, False), (True, False), (False, True)):
        try:
            endpoint = resolver.construct_endpoint(
                service, region, use_fips_endpoint=fips, use_dualstack_endpoint=dual
            )
        except (EndpointVariantError, NoRegionError):
            endpoint = None
        found.append(endpoint)
    return found


def test_what_is_kept_is_small() -> None:
    core = get_session()
    share_data(core, {})
    kept = core.get_component("data_loader").load_data("endpoints")["partitions"]
    assert {name for partition in kept for name in partition["services"]} <= ENDPOINTS

"""The SDK's own settings: mistakes in them are told before a scan, by the file or variable that holds them."""

import json
import os
import re
import ssl
from collections.abc import Mapping
from typing import Any, Final

from botocore.configprovider import ConstantProvider

from scanner.errors import ConfigError

REGION: Final = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]+")
NUMBERS: Final = {
    "metadata_service_timeout": "AWS_METADATA_SERVICE_TIMEOUT",
    "metadata_service_num_attempts": "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
}
CHOICES: Final = {
    "retry_mode": ("AWS_RETRY_MODE", ("legacy", "standard", "adaptive")),
    "request_checksum_calculation": (
        "AWS_REQUEST_CHECKSUM_CALCULATION",
        ("when_supported", "when_required"),
    ),
    "response_checksum_validation": (
        "AWS_RESPONSE_CHECKSUM_VALIDATION",
        ("when_supported", "when_required"),
    ),
}
LEADING: Final = (
    "ca_bundle",
    "use_fips_endpoint",
    "use_dualstack_endpoint",
    "ignore_configured_endpoint_urls",
)
"""Settings that decide, beside endpoint_url and services, where a client leads to and whom it trusts."""


def leading_settings(core: Any) -> str:
    """Where clients of a botocore session lead to, and whom they trust; equal where one client would do for both."""
    scoped = core.get_scoped_config()
    services = core.full_config.get("services", {}).get(scoped.get("services"))
    found = [core.get_config_variable(name) for name in LEADING]
    return json.dumps([*found, scoped.get("endpoint_url"), scoped.get("services"), services], sort_keys=True)


def without_empty_profile(core: Any, environ: Mapping[str, str] = os.environ) -> None:
    """Takes an empty AWS_PROFILE for none, as those mean it who set variables to nothing."""
    named = [environ.get(name) for name in ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")]
    if "" in named and not any(named):
        core.get_component("config_store").set_config_provider("profile", ConstantProvider(None))


def check_settings(core: Any, profile: str | None, environ: Mapping[str, str] = os.environ) -> None:
    """Raises ConfigError for the first setting of a botocore session that nothing could be done with."""
    scoped = core.get_scoped_config()
    for name, variable in NUMBERS.items():
        value = environ.get(variable) or scoped.get(name)
        if value is not None and not re.fullmatch(r"[0-9]+", str(value).strip()):
            raise _wrong(name, variable, str(value), "write a whole number, such as 1", profile, environ)
    for name, (variable, choices) in CHOICES.items():
        value = environ.get(variable) or scoped.get(name)
        if value and str(value).lower() not in choices:
            remedy = f"write one of {', '.join(choices)}, or leave it out"
            raise _wrong(name, variable, str(value), remedy, profile, environ)
    _check_region(core, profile, scoped, environ)
    _check_bundle(core, profile, scoped, environ)


def _check_region(
    core: Any, profile: str | None, scoped: Mapping[str, Any], environ: Mapping[str, str]
) -> None:
    variable = next((name for name in ("AWS_REGION", "AWS_DEFAULT_REGION") if environ.get(name)), None)
    value = environ[variable] if variable else scoped.get("region")
    if value and not REGION.fullmatch(str(value)):
        remedy = "write the name alone, without quotes or comment, such as us-east-1"
        raise _wrong("region", variable or "AWS_DEFAULT_REGION", str(value), remedy, profile, environ)


def _check_bundle(
    core: Any, profile: str | None, scoped: Mapping[str, Any], environ: Mapping[str, str]
) -> None:
    bundle = core.get_config_variable("ca_bundle")
    if not bundle:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=bundle)
    except OSError as error:
        why = error.strerror or type(error).__name__
        if isinstance(error, ssl.SSLError):
            why = "it holds no certificates"
        remedy = f"{why}; name a file of certificates in PEM form, or leave it out"
        raise _wrong("ca_bundle", "AWS_CA_BUNDLE", bundle, remedy, profile, environ) from None


def _wrong(
    name: str, variable: str, value: str, remedy: str, profile: str | None, environ: Mapping[str, str]
) -> ConfigError:
    if environ.get(variable):
        return ConfigError(f"{variable}: {value[:200]!r}: {remedy}")
    whose = f"the profile {profile!r}" if profile else "the default profile"
    return ConfigError(f"~/.aws/config: {value[:200]!r} stands there; mend the {name} of {whose}: {remedy}")

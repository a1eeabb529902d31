"""Settings of endpoints with which no client can be made, or none that could send a call.

Seen in aiobotocore 2.25 and 3.10, with botocore 1.40 to 1.43: `ConfiguredEndpointProvider(...).provide()`, which looks
for a service's URL as the SDK does; `tags` among the facts of an EndpointVariantError.
"""

import os
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.configprovider import ConfiguredEndpointProvider
from botocore.exceptions import BotoCoreError, EndpointVariantError, InvalidConfigError

from scanner.aws.text import clean
from scanner.inventory.records import FailureKind
from scanner.service.errors import CallFailed

UNPRINTABLE: Final = re.compile(r"[^!-~]")
"""Spaces and control characters too: in a request they would stand for something else."""
VARIANTS: Final = {
    "dualstack": ("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"),
    "fips": ("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
}
SERVICES_REMEDY: Final = "mend `services` of the profile in ~/.aws/config, or write the section that it names"
SETTING_REMEDY: Final = "look at this setting in the environment and in ~/.aws/config"


def check_endpoint(core: Any, service: str, environ: Mapping[str, str] = os.environ) -> None:
    """Raises CallFailed where the URL that is configured for `service` could take no call."""
    if core.get_config_variable("ignore_configured_endpoint_urls"):
        return
    try:
        url = ConfiguredEndpointProvider(
            core.full_config, core.get_scoped_config(), service, environ
        ).provide()
    except BotoCoreError as error:
        raise no_client(error) from None
    fault = _fault(url) if url else None
    if fault:
        place = _place(core, url, environ)
        raise _failure(f"Invalid endpoint: {clean(url)[:200]!r} {fault}", f"mend {place}: write https://HOST")


def no_client(error: BotoCoreError | ValueError) -> CallFailed:
    """Why the SDK has no client, or no endpoint for it, as a failure of the call that needs it."""
    told = clean(str(error)).rstrip(" :.")
    match error:
        case EndpointVariantError():
            wanted = [VARIANTS[tag] for tag in error.kwargs.get("tags", ()) if tag in VARIANTS]
            variables, settings = zip(*(wanted or VARIANTS.values()), strict=True)
            remedy = (
                f"the Region has no such endpoint: set {' or '.join(variables)}, or {' or '.join(settings)} of the"
                " profile, to false, or list the Region under scan.exclude_regions"
            )
            return _failure(told, remedy)
        case InvalidConfigError():
            return _failure(told, SERVICES_REMEDY)
        case BotoCoreError():
            return _failure(told, SETTING_REMEDY)
        case _:
            return _failure(told, "mend AWS_ENDPOINT_URL, or endpoint_url of the profile: write https://HOST")


def _fault(url: str) -> str | None:
    """What is wrong with `url` as an endpoint; None if nothing is."""
    if UNPRINTABLE.search(url):
        return "holds a space, a control character or a letter beyond ASCII"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "has a host or a port that is none"
    if parts.scheme not in ("http", "https") or not host or port == 0:
        return "is no URL of a server"
    if "?" in url or "#" in url:
        return "has a query or a fragment"
    return "has a user name" if "@" in parts.netloc else None


def _place(core: Any, url: str, environ: Mapping[str, str]) -> str:
    """The setting that holds `url`."""
    named = (name for name, value in environ.items() if value == url and name.startswith("AWS_ENDPOINT_URL"))
    # The one for the service goes before the one for all.
    variable = max(named, key=len, default=None)
    return variable or f"endpoint_url of the profile {core.profile or 'default'!r} in ~/.aws/config"


def _failure(message: str, remedy: str) -> CallFailed:
    return CallFailed.of(FailureKind.NETWORK, message, remedy=remedy, sent=False)

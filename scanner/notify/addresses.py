"""The addresses of `notify.urls`: which sender each needs, checked before a scan."""

import re
from collections.abc import Mapping
from importlib.util import find_spec
from urllib.parse import urlsplit

from scanner.errors import ConfigError
from scanner.notify.senders import REFUSED_SCHEMES, Apprise, Sender, Webhook

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def expand(text: str, environ: Mapping[str, str], where: str) -> str:
    """`text` with each `${NAME}` read from the environment; raises ConfigError for one that is not set."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if not environ.get(name):
            raise ConfigError(
                f"{where}: the environment variable {name} is not set; set it, or remove ${{{name}}}"
            )
        return environ[name]

    return VARIABLE.sub(value, text)


def name_of(configured: str) -> str:
    """How warnings call an address: as it was written, if that holds no secret, else its kind and host."""
    if VARIABLE.fullmatch(configured) or configured.startswith("arn:"):
        return configured
    parts = urlsplit(configured)
    return f"{parts.scheme}://{parts.hostname or '...'}/..."


def sender_of(configured: str, url: str, where: str, *, secret: str | None, timeout: float) -> Sender:
    """The sender for an address that is no ARN; raises ConfigError for one that cannot be used."""
    name = name_of(configured)
    scheme = url.partition("://")[0].lower()
    if scheme in ("https", "http"):
        if not urlsplit(url).hostname:
            raise ConfigError(f"{where}: {name} names no host; write https://HOST/PATH")
        return Webhook(url, name=name, secret=secret, timeout=timeout)
    if scheme in REFUSED_SCHEMES:
        raise ConfigError(
            f"{where}: {scheme}:// reads files or runs programs on this machine, or signs in to AWS in its own"
            " way; use https://, an ARN of SNS or EventBridge, or another service"
        )
    if re.search(r"[?&](pgp|attach)[a-z]*=", url, re.IGNORECASE):
        raise ConfigError(
            f"{where}: {name}: keys and attachments are files of this machine, which are not read"
        )
    if find_spec("apprise") is None:
        raise ConfigError(
            f"{where}: {scheme}:// needs apprise; install the extra `notify`: pip install 'sgw-scanner[notify]',"
            " or in a checkout: pip install '.[notify]'"
        )
    import apprise

    if apprise.Apprise.instantiate(url, suppress_exceptions=True) is None:
        raise ConfigError(f"{where}: {name} is no address that apprise knows; see its page on {scheme}://")
    return Apprise(url, name=name, timeout=timeout)

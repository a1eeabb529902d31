"""The addresses of `notify.urls`: which sender each needs, checked before a scan."""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Final
from urllib.parse import urlsplit

from scanner.aws.publish import BUS, TOPIC, Publisher
from scanner.config.settings import NotifySettings, ScannerConfig
from scanner.errors import ConfigError
from scanner.extras import install_command
from scanner.notify.heartbeat import Heartbeat
from scanner.notify.senders import Apprise, Bus, Sender, Topic, Webhook, asset
from scanner.service.secrets import remember

LOG = logging.getLogger("scanner")
VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
REFUSED_SCHEMES: Final = frozenset(
    {
        "blink1", "dbus", "deltachat", "deltachats", "fcm", "file", "gio", "glib", "gnome", "kde", "macosx",
        "qt", "sns", "syslog", "vapid", "windows",
    }
)  # fmt: skip
"""Of apprise's: those that run a program, read a file of this machine or speak to it, and its own SNS."""
_FILES: Final = re.compile(r"[?&](pgp\w*|attach\w*|template|tmpl|keyfile|cert\w*|path)=", re.IGNORECASE)


def senders_of(
    settings: NotifySettings, environ: Mapping[str, str], publisher: Publisher, where: str
) -> Iterator[tuple[str, Sender]]:
    """Each address as it is configured, and its sender; raises ConfigError for one that cannot be used."""
    timeout = settings.timeout.total_seconds()
    secret = expand(settings.secret, environ, "notify.secret") if settings.secret else None
    remember([secret] if secret else [])
    for configured in settings.urls:
        url = expand(configured, environ, where).strip()
        remember([url] if VARIABLE.search(configured) else [])
        yield configured, _sender(configured, url, where, publisher, secret, timeout)


def heartbeat_of(config: ScannerConfig, environ: Mapping[str, str]) -> Heartbeat | None:
    """The heartbeat that `notify.ping_url` asks for; raises ConfigError for an address that is none."""
    if not config.notify.ping_url:
        return None
    where = config.origin_of("notify.ping_url")
    url = expand(config.notify.ping_url, environ, where)
    remember([url])
    if not re.match(r"https?://[^/]", url, re.IGNORECASE):
        raise ConfigError(f"{where}: is no web address; write https://HOST/PATH")
    return Heartbeat(url)


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
    scheme, found, rest = configured.partition("://")
    if not found:
        return "an address"
    # Only of a web address is the host known not to be a token.
    host = rest.partition("/")[0].rpartition("@")[2] if scheme.lower() in ("https", "http") else ""
    return f"{scheme}://{host or '...'}/..."


def _sender(
    configured: str, url: str, where: str, publisher: Publisher, secret: str | None, timeout: float
) -> Sender:
    name = name_of(configured)
    if url.startswith("arn:"):
        if TOPIC.fullmatch(url):
            return Topic(url, publisher, timeout=timeout)
        if BUS.fullmatch(url):
            return Bus(url, publisher, timeout=timeout)
        raise ConfigError(
            f"{where}: {name} is neither an SNS topic nor an EventBridge bus; write"
            " arn:aws:sns:REGION:ACCOUNT:TOPIC or arn:aws:events:REGION:ACCOUNT:event-bus/BUS"
        )
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    if scheme in ("https", "http"):
        return _webhook(url, name, where, secret, timeout)
    if scheme in REFUSED_SCHEMES:
        raise ConfigError(
            f"{where}: {scheme}:// reads files or runs programs on this machine; use https://, an ARN of SNS or"
            " EventBridge, or another service"
        )
    if _FILES.search(url):
        raise ConfigError(
            f"{where}: {name}: keys, templates and attachments are files of this machine, which are not read"
        )
    return _apprise(url, scheme, name, where, timeout)


def _webhook(url: str, name: str, where: str, secret: str | None, timeout: float) -> Webhook:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    if not host:
        raise ConfigError(f"{where}: {name} names no host; write https://HOST/PATH")
    if parts.scheme.lower() == "http" and host not in LOOPBACK:
        LOG.warning("%s: alerts go to %s in clear text; use https://", where, name)
    return Webhook(url, name=name, secret=secret, timeout=timeout)


def _apprise(url: str, scheme: str, name: str, where: str, timeout: float) -> Apprise:
    if not scheme:
        raise ConfigError(f"{where}: {name} is no address; write https://HOST/PATH, an ARN, or SERVICE://...")
    if find_spec("apprise") is None:
        raise ConfigError(f"{where}: {scheme}:// needs apprise; install it with: {install_command('notify')}")
    import apprise

    if scheme == "pagerduty" and not re.search(r"[?&]action=", url):
        # One incident, which is over when nothing is open any more.
        url += f"{'&' if '?' in url else '?'}action=map&dedup=sgw-scanner"
    with _unheard("apprise"):
        known = apprise.Apprise.instantiate(url, asset=asset(), suppress_exceptions=True)
    if known is None:
        raise ConfigError(f"{where}: {name} is no address that apprise knows; see its page on {scheme}://")
    return Apprise(url, name=name, timeout=timeout)


@contextmanager
def _unheard(name: str) -> Iterator[None]:
    """Keeps a logger silent: what apprise cannot parse it logs as it stands, with whatever token is in it."""
    logger = logging.getLogger(name)
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before

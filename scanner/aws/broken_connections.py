"""Why a connection failed, as facts: no connection, no trust, no answer, or one without end."""

import socket

import aiohttp
from botocore.exceptions import (
    BotoCoreError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)

from scanner.aws.connections import TooLongError
from scanner.aws.text import clean
from scanner.inventory.records import FailureKind
from scanner.service.errors import CallFailed
from scanner.service.secrets import endpoint_shown

NETWORK_REMEDY = "check the network, DNS, proxy and CA settings towards {url}"
TLS_REMEDY = f"{NETWORK_REMEDY}; if a proxy inspects TLS, let AWS_CA_BUNDLE name its certificates"
FILES_REMEDY = "raise the limit of open files (ulimit -n), or lower scan.max_concurrency"
ADDRESS_REMEDY = (
    "look at HTTPS_PROXY, HTTP_PROXY and AWS_ENDPOINT_URL: write http://HOST:PORT;"
    " an endpoint takes no user name"
)
NO_FILES = (24, 23)
"""EMFILE and ENFILE: this process, or the whole machine, has no file descriptor left."""
PROXY_REMEDY = "look for a proxy that answers in the service's place"


def broken_in_sdk(error: BotoCoreError) -> CallFailed:
    cause = error.kwargs.get("error")
    url = str(error.kwargs.get("endpoint_url", "the service"))
    if isinstance(cause, aiohttp.ClientError | TooLongError | ValueError):
        return broken(cause, url)
    match error:
        case ConnectTimeoutError():
            return _broken(FailureKind.TIMEOUT, "connecting took too long", url, None, connected=False)
        case ReadTimeoutError():
            return _broken(FailureKind.TIMEOUT, "the answer took too long", url, None)
        case SSLError() | EndpointConnectionError() | ProxyConnectionError():
            return _broken(FailureKind.NETWORK, "no connection", url, None, connected=False)
        case _:
            return _broken(FailureKind.NETWORK, "the connection broke", url, None)


def broken(error: Exception, url: str) -> CallFailed:
    """How a connection to `url` failed, or broke before the answer was there."""
    match error:
        case TooLongError():
            return CallFailed.of(FailureKind.INVALID_RESPONSE, clean(str(error)), remedy=PROXY_REMEDY)
        case aiohttp.ClientSSLError():
            return _broken(
                FailureKind.NETWORK,
                "no trusted TLS connection",
                url,
                error,
                connected=False,
                remedy=TLS_REMEDY,
            )
        case aiohttp.ConnectionTimeoutError():
            return _broken(FailureKind.TIMEOUT, "connecting took too long", url, None, connected=False)
        case aiohttp.ClientHttpProxyError():
            what = f"the proxy refused the connection with HTTP status {error.status}"
            return _broken(FailureKind.NETWORK, what, url, None, connected=False)
        case aiohttp.ClientProxyConnectionError():
            return _broken(FailureKind.NETWORK, "no connection to the proxy", url, error, connected=False)
        case aiohttp.ClientConnectorError() if getattr(error.os_error, "errno", None) in NO_FILES:
            what = "no connection: too many open files"
            return CallFailed.of(
                FailureKind.NETWORK, what, remedy=FILES_REMEDY, retryable=True, connected=False, sent=False
            )
        case aiohttp.ClientConnectorError():
            failure = _broken(FailureKind.NETWORK, "no connection", url, error, connected=False)
            return failure.but(unresolved=_does_not_exist(error))
        case TimeoutError():
            return _broken(FailureKind.TIMEOUT, "the answer took too long", url, None)
        case ValueError():
            # Of the endpoint, or of a proxy: aiohttp looks at both only now.
            return _broken(
                FailureKind.NETWORK,
                "an address is no URL",
                url,
                error,
                connected=False,
                remedy=ADDRESS_REMEDY,
            )
        case _:
            return _broken(FailureKind.NETWORK, "the connection broke", url, error)


def _does_not_exist(error: aiohttp.ClientConnectorError) -> bool:
    # Not where a name server failed, or did not answer in time: it may exist.
    unresolved = isinstance(error, aiohttp.ClientConnectorDNSError)
    return unresolved and error.os_error.errno in (socket.EAI_NONAME, socket.EAI_NODATA)


def _broken(
    kind: FailureKind,
    what: str,
    url: str,
    cause: Exception | None,
    *,
    connected: bool = True,
    remedy: str = NETWORK_REMEDY,
) -> CallFailed:
    # Texts of connection errors quote addresses, and those of proxies hold passwords.
    reason = f" ({type(cause).__name__}: {' '.join(clean(str(cause)).split())})" if cause else ""
    shown = endpoint_shown(url) if "://" in url else url
    return CallFailed.of(
        kind,
        f"{what}{reason}",
        endpoint=shown,
        remedy=remedy.format(url=shown),
        retryable=True,
        connected=connected,
    )

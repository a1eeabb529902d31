"""TLS is verified on every connection, behind proxies too: nothing is told to whoever answers in AWS's place."""

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import ClientConnectionError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from scanner import Inventory, Scanner
from scanner.aws.connections import Connections, Route, Trust
from scanner.inventory.records import FailureKind

from .scans import config

TOKEN = "the-secret-session-token"
ACCOUNT = "111122223333"
STS, STORAGE_GATEWAY = "sts.us-east-1.amazonaws.com", "storagegateway.us-east-1.amazonaws.com"
WHOAMI = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    f"<Arn>arn:aws:iam::{ACCOUNT}:user/x</Arn><UserId>A</UserId><Account>{ACCOUNT}</Account>"
    "</GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
    "</GetCallerIdentityResponse>"
)


@dataclass(frozen=True)
class Authority:
    """Somebody who issues certificates."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def made(cls, folder: Path) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
        certificate = _built(name, name, key, key, x509.BasicConstraints(ca=True, path_length=None), [])
        (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return cls(folder, key, certificate)

    @property
    def bundle(self) -> str:
        return str(self.folder / "ca.pem")

    def context_for(self, *hosts: str) -> ssl.SSLContext:
        """What a server shows whose certificate is for these hosts."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a server")])
        certificate = _built(
            name,
            self.certificate.subject,
            key,
            self.key,
            x509.BasicConstraints(ca=False, path_length=None),
            [x509.DNSName(host) for host in hosts],
        )
        chain = self.folder / "server.pem"
        chain.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context


def _built(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    constraints: x509.BasicConstraints,
    names: list[x509.DNSName],
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(constraints, critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signer, hashes.SHA256())


@dataclass
class Proxy:
    """A CONNECT proxy that answers itself, whoever was asked for."""

    connects: list[str] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)
    url: str = ""

    async def tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.connects.append(head.split(b" ")[1].decode())
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await writer.drain()
            inner = await asyncio.open_connection("127.0.0.1", self.port)
            await asyncio.gather(_copy(reader, inner[1]), _copy(inner[0], writer))
        writer.close()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (
                        int(line[15:])
                        for line in head.split(b"\r\n")
                        if line.lower().startswith(b"content-length:")
                    ),
                    0,
                )
                body = await reader.readexactly(length)
                self.heard.append(head + body)
                text = (WHOAMI if b"GetCallerIdentity" in body else '{"Gateways": []}').encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))
                await writer.drain()
        writer.close()

    port: int = 0


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def proxied(inside: ssl.SSLContext, outside: ssl.SSLContext | None = None) -> AsyncIterator[Proxy]:
    """A proxy; `inside` is shown in AWS's place, `outside` by the proxy itself, where that speaks TLS."""
    proxy = Proxy()
    async with (
        await asyncio.start_server(proxy.answer, "127.0.0.1", 0, ssl=inside) as answering,
        await asyncio.start_server(proxy.tunnel, "127.0.0.1", 0, ssl=outside) as tunneling,
    ):
        proxy.port = answering.sockets[0].getsockname()[1]
        scheme, host = ("https", "localhost") if outside else ("http", "127.0.0.1")
        proxy.url = f"{scheme}://{host}:{tunneling.sockets[0].getsockname()[1]}"
        yield proxy


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    for name in (
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_STORAGE_GATEWAY",
        "AWS_PROFILE",
        "AWS_CA_BUNDLE",
        "NO_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAEXAMPLEEXAMPLE00")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s" * 40)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    return Authority.made(tmp_path)


async def scanned(**accounts: str) -> Inventory:
    async with Scanner(config(*([accounts] if accounts else []))) as scanner:
        return await scanner.scan()


def unheard(found: Inventory, proxy: Proxy) -> None:
    """Nothing was told to whoever answered, and the failure says why."""
    assert proxy.connects
    assert not proxy.heard
    (failure,) = found.failures
    assert failure.kind is FailureKind.NETWORK
    assert "TLS" in failure.message
    assert "AWS_CA_BUNDLE" in (failure.remedy or "")
    assert TOKEN not in found.model_dump_json()


@pytest.mark.parametrize("bundle", ["default", "another authority's"])
async def test_a_proxy_that_answers_itself_hears_no_token(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, bundle: str, tmp_path: Path
) -> None:
    if bundle != "default":
        (tmp_path / "other").mkdir()
        monkeypatch.setenv("AWS_CA_BUNDLE", Authority.made(tmp_path / "other").bundle)
    async with proxied(authority.context_for(STS, STORAGE_GATEWAY)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        unheard(await scanned(), proxy)


async def test_a_trusted_certificate_for_another_host_is_not_enough(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", authority.bundle)
    async with proxied(authority.context_for("evil.example")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        unheard(await scanned(), proxy)


@pytest.mark.parametrize("trusted", [True, False])
async def test_without_a_proxy_the_host_name_is_verified_too(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, trusted: bool
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", authority.bundle)
    proxy = Proxy()
    context = authority.context_for("localhost" if trusted else "evil.example")
    async with await asyncio.start_server(proxy.answer, "127.0.0.1", 0, ssl=context) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://localhost:{server.sockets[0].getsockname()[1]}")
        found = await scanned()
    assert bool(proxy.heard) is trusted
    assert bool(found.failures) is not trusted


@pytest.mark.parametrize("outside", ["http", "https"])
async def test_through_a_proxy_that_is_trusted_every_call_goes(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, outside: str
) -> None:
    """And none past it."""
    monkeypatch.setenv("AWS_CA_BUNDLE", authority.bundle)
    shown = authority.context_for("localhost") if outside == "https" else None
    async with proxied(authority.context_for(STS, STORAGE_GATEWAY), shown) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        found = await scanned()
    assert not found.failures
    assert proxy.connects == [f"{STS}:443", f"{STORAGE_GATEWAY}:443"]


async def test_a_proxy_whose_own_certificate_is_not_trusted_is_not_spoken_to(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", authority.bundle)
    wrong = authority.context_for("evil.example")
    async with proxied(authority.context_for(STS, STORAGE_GATEWAY), wrong) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        found = await scanned()
    assert not proxy.connects
    assert not proxy.heard
    assert [failure.kind for failure in found.failures] == [FailureKind.NETWORK]


async def test_a_proxy_is_trusted_by_a_bundle_of_its_own_for_those_alone_who_name_it(
    authority: Authority, tmp_path: Path
) -> None:
    """All share one pool of connections, and none the trust of another."""
    (tmp_path / "other").mkdir()
    other = Authority.made(tmp_path / "other")
    connections = Connections(connect_timeout=5, read_timeout=5, limit=2)
    inside, outside = authority.context_for(STORAGE_GATEWAY), other.context_for("localhost")

    async def ask(trust: Trust) -> int:
        url = f"https://{STORAGE_GATEWAY}/"
        return (await connections.send("POST", url, {}, b"", Route(trust, proxy.url))).status

    async with proxied(inside, outside) as proxy:
        for bundle, proxy_bundle in [
            (authority.bundle, None),
            (other.bundle, None),
            (other.bundle, other.bundle),
        ]:
            with pytest.raises(ClientConnectionError):
                await ask(Trust(bundle, proxy_bundle=proxy_bundle))
        assert not proxy.heard
        assert await ask(Trust(authority.bundle, proxy_bundle=other.bundle)) == 200
        with pytest.raises(ClientConnectionError):
            await ask(Trust(authority.bundle))
        assert len(proxy.heard) == 1
        await connections.close()


async def test_clients_of_the_sdks_own_credential_chain_verify_as_well(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Here STS with a web identity; SSO and roles of profiles are made by the same session."""
    (tmp_path / "token").write_text("the-web-identity-token")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", f"arn:aws:iam::{ACCOUNT}:role/x")
    async with proxied(authority.context_for(STS, STORAGE_GATEWAY)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        found = await scanned()
    assert proxy.connects
    assert not proxy.heard
    assert [failure.kind for failure in found.failures] == [FailureKind.CREDENTIALS]


@pytest.mark.parametrize("status", [b"407 No", b"403 No", b"502 No", b"503 No", b"garbage"])
async def test_the_password_of_a_proxy_that_refuses_stands_nowhere(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, status: bytes
) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(
                status if status == b"garbage" else b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n"
            )
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:Pr0xyPassw0rd@127.0.0.1:{port}")
        found = await scanned()
    assert [failure.kind for failure in found.failures] == [FailureKind.NETWORK]
    assert "Pr0xyPassw0rd" not in found.model_dump_json()


@pytest.mark.parametrize(
    "address", ["http://user:Pr0xyPassw0rd@127.0.0.1:port", "user:Pr0xyPassw0rd@127.0.0.1:9"]
)
async def test_the_password_in_a_proxys_broken_address_stands_nowhere(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    found = await scanned()
    assert [failure.kind for failure in found.failures] == [FailureKind.NETWORK]
    assert "Pr0xyPassw0rd" not in found.model_dump_json()

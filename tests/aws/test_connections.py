"""Connections: what the clients of a Scanner share, and what they must not."""

from typing import Any

from scanner.aws.connections import sessions_sharing_trust


def _context(session: Any) -> Any:
    return session._create_connector(None)._ssl


async def test_a_bundle_of_certificates_is_read_once_for_all_regions() -> None:
    session = sessions_sharing_trust()
    assert _context(session(verify=True)) is _context(session(verify=True))


async def test_two_scanners_read_their_own_so_that_a_renewed_bundle_is_seen() -> None:
    assert _context(sessions_sharing_trust()(verify=True)) is not _context(
        sessions_sharing_trust()(verify=True)
    )


async def test_shared_trust_still_verifies_the_peer() -> None:
    context = _context(sessions_sharing_trust()(verify=True))
    assert context.verify_mode.name == "CERT_REQUIRED"
    assert context.get_ca_certs()


async def test_without_verification_nothing_is_trusted_on_behalf_of_others() -> None:
    session = sessions_sharing_trust()
    _context(session(verify=True))
    assert _context(session(verify=False)) is False

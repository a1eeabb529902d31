"""The embedded service: an endpoint that speaks as AWS does about a fleet that you describe."""

from .faults import Fault
from .fleet import Account, Bucket, Fleet, Gateway, Key, Organization, Role, Volume
from .remote import Remote, background, spawn
from .server import Emulator, serve

__all__ = [
    "Account",
    "Bucket",
    "Emulator",
    "Fault",
    "Fleet",
    "Gateway",
    "Key",
    "Organization",
    "Remote",
    "Role",
    "Volume",
    "background",
    "serve",
    "spawn",
]

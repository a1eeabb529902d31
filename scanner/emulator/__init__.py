"""The embedded service: an endpoint that speaks as AWS does about a fleet that you describe."""

from .fleets import Account, Bucket, DetachedVolume, Fault, Fleet, Gateway, Key, Organization, Role, Volume
from .server.background import background
from .server.emulator import Emulator, serve
from .server.remote import Remote, spawn

__all__ = [
    "Account",
    "Bucket",
    "DetachedVolume",
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

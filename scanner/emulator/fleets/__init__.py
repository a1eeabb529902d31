"""Fleets: what an emulator serves, described in Python or TOML, generated, or the demo's."""

from .accounts import TYPES, Account, DetachedVolume, Gateway, Key, Role, Volume
from .buckets import Bucket
from .faults import KINDS, THROTTLES, Fault
from .fleet import Fleet
from .generate import generate_gateway, region_names
from .organization import Organization
from .toml_file import FleetFileError

__all__ = [
    "KINDS",
    "THROTTLES",
    "TYPES",
    "Account",
    "Bucket",
    "DetachedVolume",
    "Fault",
    "Fleet",
    "FleetFileError",
    "Gateway",
    "Key",
    "Organization",
    "Role",
    "Volume",
    "generate_gateway",
    "region_names",
]

"""sgw-scanner: which Storage Gateway volumes could not be restored to a recent point right now."""

__version__ = "0.1.0"

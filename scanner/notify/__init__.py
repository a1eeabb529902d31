"""Alerts: what changed since the last scan that an address was told of, and how it gets there."""

from scanner.notify.alerts import Alert, AlertKind, Digest, Told, digest
from scanner.notify.heartbeat import Heartbeat
from scanner.notify.message import Message
from scanner.notify.notifier import Notifier
from scanner.notify.senders import DeliveryFailed, Sender

__all__ = [
    "Alert",
    "AlertKind",
    "DeliveryFailed",
    "Digest",
    "Heartbeat",
    "Message",
    "Notifier",
    "Sender",
    "Told",
    "digest",
]

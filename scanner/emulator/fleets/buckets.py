"""Token buckets: how fast an account may call in a Region."""

from __future__ import annotations

from dataclasses import dataclass

from .checked import Flag, Number, RateChanges, Table, Text, Texts


@dataclass
class Bucket(Table):
    """A limit for each account and Region: `rate` calls a second, `burst` at once.

    `changes` are (seconds after start, new rate). `operations` share one bucket unless `per_operation`.
    """

    rate: Number
    burst: Number = 1.0
    service: Text = "storagegateway"
    operations: Texts = ()
    per_operation: Flag = False
    accounts: Texts = ()
    regions: Texts = ()
    changes: RateChanges = ()

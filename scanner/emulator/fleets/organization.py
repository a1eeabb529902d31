"""The organization that the accounts of a fleet belong to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from .checked import Flag, Table, Text, Texts, Whole


@dataclass
class Organization(Table):
    """Who may call, and how its lists are paged.

    Accounts name their unit by its path (`prod/databases`); `units` are further ones, without accounts.
    `status` adds the field that newer endpoints dropped.
    """

    units: Texts = ()
    delegated: Texts = ()
    page_size: Whole = 3
    status: Flag = False
    id: Text = "o-sgwemulate"
    root_id: Text = "r-ab12"

    def unit_id(self, path: str) -> str:
        """The id of the unit with this path; the root's for the empty one."""
        if not path:
            return self.root_id
        return f"ou-{self.root_id[2:]}-{hashlib.sha256(path.encode()).hexdigest()[:8]}"

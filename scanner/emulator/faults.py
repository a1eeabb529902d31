"""What goes wrong on purpose: rules for which call, and what happens to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Fault:
    """One rule."""

    kind: str

"""Faults: the rules in force, and how an answer differs when one of them hits."""

from ..fleets.faults import KINDS, THROTTLES

__all__ = ["KINDS", "THROTTLES"]

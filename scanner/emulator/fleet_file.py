"""Fleets described in TOML."""

from __future__ import annotations

from os import PathLike

from .fleet import Fleet


def load(path: str | PathLike[str]) -> Fleet:
    raise NotImplementedError(path)

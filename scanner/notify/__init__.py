"""Alerts: what changed since the last scan that an address was told of, and how it gets there."""

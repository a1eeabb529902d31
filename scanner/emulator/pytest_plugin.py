"""Fixtures for users of the emulator."""

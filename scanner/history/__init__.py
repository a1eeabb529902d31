"""The history: every scan as immutable files, and what can be asked of them."""

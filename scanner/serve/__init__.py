"""The last scan over HTTP: metrics, the inventory and the page, made anew by each scan."""

from scanner.serve.app import application
from scanner.serve.server import Address, serve
from scanner.serve.state import State

__all__ = ["Address", "State", "application", "serve"]

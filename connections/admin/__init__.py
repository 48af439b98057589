"""The admin of what operators configure; importing this package registers it."""

from connections.admin import accounts, connections, links

__all__ = ["accounts", "connections", "links"]

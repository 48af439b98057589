"""The admin of the configuration; importing this package registers it."""

from connections.admin import accounts, connection_tests, connections, links

__all__ = ["accounts", "connection_tests", "connections", "links"]

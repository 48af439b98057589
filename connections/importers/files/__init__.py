"""A connection as one TOML file: load it, dump it."""

from connections.importers.files.dump import dump_connection
from connections.importers.files.load import Lookup, dummy_credential, load_connection

__all__ = [
    "Lookup",
    "dummy_credential",
    "dump_connection",
    "load_connection",
]

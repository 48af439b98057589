"""A connection as one TOML file (section 9 of the design): load it, dump it, check it."""

from connections.core.connection_check import (
    ConnectionCheck,
    ResponseCheck,
    check_connection,
    sample_attributes,
)
from connections.importers.files.dump import dump_connection
from connections.importers.files.load import Lookup, load_connection, stand_in

__all__ = [
    "ConnectionCheck",
    "Lookup",
    "ResponseCheck",
    "check_connection",
    "dump_connection",
    "load_connection",
    "sample_attributes",
    "stand_in",
]

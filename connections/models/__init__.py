"""Models of the configuration: accounts, campaigns, connections, links, and their history."""

from connections.models.accounts import Account, Campaign, CustomAttribute
from connections.models.connection_tests import ConnectionTest
from connections.models.connections import Connection
from connections.models.endpoints import Endpoint, TechnicalContact
from connections.models.exchanges import ExchangeRecord
from connections.models.history import HistoryEntry
from connections.models.links import Link
from connections.models.responses import ExpectedResponse, ResponseRule

__all__ = [
    "Account",
    "Campaign",
    "Connection",
    "ConnectionTest",
    "CustomAttribute",
    "Endpoint",
    "ExchangeRecord",
    "ExpectedResponse",
    "HistoryEntry",
    "Link",
    "ResponseRule",
    "TechnicalContact",
]

"""Send a request and return the exchange, whatever the network does."""

from connections.transport.client import Client
from connections.transport.deadline import SendLimits

__all__ = ["Client", "SendLimits"]

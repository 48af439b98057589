"""Sends a request and says what became of it; must not know what is sent, nor Django."""

from connections.client.sending import Client
from connections.client.timing import SendLimits

__all__ = ["Client", "SendLimits"]

"""Sends a request and says what became of it; must not know what is sent, nor Django."""

from connections.transport.client import Client
from connections.transport.deadline import SendLimits

__all__ = ["Client", "SendLimits"]

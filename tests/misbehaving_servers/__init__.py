"""Servers that break HTTP, TCP and time limits, on the loopback only."""

from __future__ import annotations

import socket
from ipaddress import ip_network

import pytest

from connections.core.messages import Request
from connections.core.request.builder import USER_AGENT
from connections.transport import Client, SendLimits
from connections.transport.destination import DestinationPolicy
from tests.misbehaving_servers.server import (
    OK,
    Script,
    Server,
    ServerConnection,
    full_backlog,
    respond_with,
)
from tests.timing import WAIT_SECONDS, scaled

LOOPBACK = DestinationPolicy(
    permitted_networks=(ip_network("127.0.0.0/8"), ip_network("::1/128")), allowed_ports=None
)
SHORT_LIMITS = SendLimits(
    connect=scaled(0.3), read=scaled(0.15), total=scaled(0.4), dns=scaled(0.2)
)
LONG_LIMITS = SendLimits(
    connect=WAIT_SECONDS, read=WAIT_SECONDS, total=WAIT_SECONDS, dns=WAIT_SECONDS
)

__all__ = [
    "LONG_LIMITS",
    "LOOPBACK",
    "OK",
    "SHORT_LIMITS",
    "Script",
    "Server",
    "ServerConnection",
    "full_backlog",
    "loopback_client",
    "needs_ipv6",
    "post",
    "respond_with",
]


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="This machine has no ::1.")


def loopback_client(**settings: object) -> Client:
    """Return a client that may reach the loopback on any port."""
    return Client(LOOPBACK, **settings)  # type: ignore[arg-type]


def post(url: str, body: bytes = b"{}") -> Request:
    """Return a POST request with the headers that the builder sets."""
    netloc = url.partition("//")[2].partition("/")[0]
    return Request(
        method="POST",
        url=url,
        headers=(
            ("Host", netloc),
            ("User-Agent", USER_AGENT),
            ("Accept", "*/*"),
            ("Accept-Encoding", "gzip, deflate"),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
        ),
        body=body,
    )

"""The process's one client and its tokens, made from the settings; knows not what is sent."""

from __future__ import annotations

from functools import cache
from ipaddress import ip_network

from django.conf import settings
from redis import Redis

from connections.encryption import decrypt, encrypt
from connections.transport import Client, SendLimits
from connections.transport.destination import DestinationPolicy
from connections.transport.tokens import TokenCache

ALLOWED_PORTS = frozenset({80, 443, *range(1024, 65536)})
"""Mail servers and shells listen on low ports, and some would take a request for commands; CRMs
that advertisers run themselves listen on any of the others."""


_REDIS_SECONDS = 1


@cache
def shared_client() -> Client:
    """The client whose connections stay open from delivery to delivery."""
    # What one slice has left behind may still be sending when the next ones begin.
    return Client(destination_policy(), pool_size=4 * settings.DELIVERY_THREADS)


@cache
def shared_tokens() -> TokenCache:
    """The OAuth 2 tokens that this process and all others use."""
    return TokenCache(_redis, shared_client(), encrypt=encrypt, decrypt=decrypt)


@cache
def _redis() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=_REDIS_SECONDS,
        socket_connect_timeout=_REDIS_SECONDS,
    )


def destination_policy() -> DestinationPolicy:
    """Which addresses this installation may reach."""
    return DestinationPolicy(
        permitted_networks=tuple(map(ip_network, settings.DELIVERY_PERMITTED_NETWORKS)),
        allow_http=settings.DELIVERY_ALLOW_HTTP,
        allowed_ports=ALLOWED_PORTS,
    )


def send_limits(total_timeout: float) -> SendLimits:
    """The limits of one send; a connection may ask for less time than others, never for more."""
    total = min(total_timeout, settings.DELIVERY_TOTAL_TIMEOUT)
    return SendLimits(
        connect=min(settings.DELIVERY_CONNECT_TIMEOUT, total),
        read=min(settings.DELIVERY_READ_TIMEOUT, total),
        total=total,
    )

"""The client and the token cache of this process, made from the settings."""

from __future__ import annotations

from functools import cache
from ipaddress import ip_network

from django.conf import settings
from redis import Redis

from connections.encryption import decrypt, encrypt
from connections.transport import Client, SendLimits
from connections.transport.destination import DestinationPolicy
from connections.transport.tokens import TokenCache

_REDIS_TIMEOUT_SECONDS = 1


@cache
def shared_client() -> Client:
    """Return the client, whose connections stay open from delivery to delivery."""
    # What one slice has left behind may still be sending when the next ones begin.
    return Client(destination_policy(), pool_size=4 * settings.DELIVERY_THREADS)


@cache
def shared_tokens() -> TokenCache:
    """Return the cache of OAuth 2 tokens, which shares them with all other processes."""
    return TokenCache(_redis, shared_client(), encrypt=encrypt, decrypt=decrypt)


@cache
def _redis() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=_REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=_REDIS_TIMEOUT_SECONDS,
    )


def destination_policy() -> DestinationPolicy:
    """Return which addresses this installation may reach."""
    return DestinationPolicy(
        permitted_networks=tuple(map(ip_network, settings.DELIVERY_PERMITTED_NETWORKS)),
        allow_http=settings.DELIVERY_ALLOW_HTTP,
    )


def send_limits(total_timeout: float) -> SendLimits:
    """Return the limits of one attempt; a connection may ask for less time, never for more."""
    total = min(total_timeout, settings.DELIVERY_TOTAL_TIMEOUT)
    return SendLimits(
        connect=min(settings.DELIVERY_CONNECT_TIMEOUT, total),
        read=min(settings.DELIVERY_READ_TIMEOUT, total),
        total=total,
    )

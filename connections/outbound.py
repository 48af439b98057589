"""The process's one client, made from the settings; must not know what is sent with it."""

from __future__ import annotations

from functools import cache
from ipaddress import ip_network

from django.conf import settings

from connections.client import Client, SendLimits
from connections.destination import DestinationPolicy

_PORTS = frozenset({80, 443, *range(1024, 65536)})
"""Mail servers and shells listen on low ports, and some would take a request for commands; CRMs
that advertisers run themselves listen on any of the others."""


@cache
def shared_client() -> Client:
    """The client whose connections stay open from delivery to delivery."""
    return Client(destination_policy(), pool_size=settings.DELIVERY_THREADS)


def destination_policy() -> DestinationPolicy:
    """Which addresses this installation may reach."""
    return DestinationPolicy(
        permitted_networks=tuple(map(ip_network, settings.DELIVERY_PERMITTED_NETWORKS)),
        allow_http=settings.DELIVERY_ALLOW_HTTP,
        allowed_ports=_PORTS,
    )


def send_limits(total_timeout: float) -> SendLimits:
    """The limits of one send; a connection may ask for less time than others, never for more."""
    total = min(total_timeout, settings.DELIVERY_TOTAL_TIMEOUT)
    return SendLimits(
        connect=min(settings.DELIVERY_CONNECT_TIMEOUT, total),
        read=min(settings.DELIVERY_READ_TIMEOUT, total),
        total=total,
    )

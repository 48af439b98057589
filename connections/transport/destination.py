"""Decide which addresses and ports may be reached (the policy against SSRF).

The table is our own: Python's `is_global` was wrong before 3.11.10 (CVE-2024-4032), calls shared
addresses (100.64.0.0/10) neither private nor global, and knows no metadata addresses.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import NamedTuple
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

ALLOWED_PORTS = frozenset({80, 443, *range(1024, 65536)})
"""Mail servers and shells listen on low ports, and some would take a request for commands; CRMs
that advertisers run themselves listen on any of the others."""

_METADATA = {
    ipaddress.ip_address(address)
    for address in (
        "169.254.169.254",  # AWS, Google, Azure and most others.
        "169.254.170.2",  # AWS, containers.
        "168.63.129.16",  # Azure's host, although the address looks public.
        "100.100.100.200",  # Alibaba.
        "192.0.0.192",  # Oracle.
        "fd00:ec2::254",  # AWS over IPv6.
        "fd20:ce::254",  # Google over IPv6.
    )
}

_REFUSED_V4 = {
    IPv4Network(network): reason
    for network, reason in {
        "0.0.0.0/8": "an unspecified address",
        "10.0.0.0/8": "a private address",
        "100.64.0.0/10": "a provider's internal address",
        "127.0.0.0/8": "a loopback address",
        "169.254.0.0/16": "a link-local address",
        "172.16.0.0/12": "a private address",
        "192.0.0.0/24": "an address for protocols",
        "192.0.2.0/24": "an address for documentation",
        "192.88.99.0/24": "an address for protocols",
        "192.168.0.0/16": "a private address",
        "198.18.0.0/15": "an address for benchmarks",
        "198.51.100.0/24": "an address for documentation",
        "203.0.113.0/24": "an address for documentation",
        "224.0.0.0/4": "a multicast address",
        "255.255.255.255/32": "a broadcast address",
        "240.0.0.0/4": "a reserved address",
    }.items()
}

_REFUSED_V6 = {
    IPv6Network(network): reason
    for network, reason in {
        "::/128": "an unspecified address",
        "::1/128": "a loopback address",
        # Where the inner address stands depends on the network's own translator, so none of these
        # can be judged; a network that needs them says so by permitting them.
        "64:ff9b:1::/48": "a translated address",
        "100::/64": "an address that discards everything",
        "2001::/32": "a tunnelled address",
        "2001::/23": "an address for protocols",
        "2001:db8::/32": "an address for documentation",
        "3fff::/20": "an address for documentation",
        "fc00::/7": "a private address",
        "fe80::/10": "a link-local address",
        "fec0::/10": "a private address",
        "ff00::/8": "a multicast address",
    }.items()
}

_GLOBAL_V6 = IPv6Network("2000::/3")
_EMBEDDING_V6 = {  # network: how many bits stand to the right of the inner IPv4 address.
    IPv6Network("::/96"): 0,  # v4-compatible
    IPv6Network("::ffff:0:0/96"): 0,  # v4-mapped
    IPv6Network("::ffff:0:0:0/96"): 0,  # v4-translated
    IPv6Network("64:ff9b::/96"): 0,  # NAT64
    IPv6Network("2002::/16"): 80,  # 6to4
}

_HOST_NAME = re.compile(r"(?=.{1,253}\.?\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE)
_REMEDY = (
    "Only public addresses may be reached; whoever runs this installation can permit others by "
    "their network."
)


class BlockedDestination(Exception):  # noqa: N818 - it says what became of the destination.
    """This destination may not be reached; the message is one sentence for a person."""


class Destination(NamedTuple):
    """Scheme, host and port of a URL; an IP address is in its usual form, never `0x7f.1`."""

    scheme: str
    host: str
    port: int

    @property
    def is_address(self) -> bool:
        """Whether the host is an address and needs no DNS."""
        return literal(self.host) is not None


@dataclass(frozen=True)
class DestinationPolicy:
    """What requests may reach: public addresses over https, and the permitted networks.

    A permitted network may be reached over http as well.
    """

    permitted_networks: tuple[Network, ...] = ()
    allow_http: bool = False
    allowed_ports: frozenset[int] | None = ALLOWED_PORTS

    def check_url(self, url: str) -> Destination:
        """Check the URL as far as possible without DNS; return its destination or raise
        BlockedDestination."""
        destination = _parse(url)
        if self.allowed_ports is not None and destination.port not in self.allowed_ports:
            raise BlockedDestination(f"Port {destination.port} may not be reached.")
        if destination.is_address:
            self.check_addresses(destination, [destination.host])
        elif not self.permitted_networks:
            self._check_encryption(destination)
        return destination

    def check_addresses(self, destination: Destination, addresses: Iterable[str]) -> None:
        """Raise BlockedDestination unless every address of the host may be reached.

        One bad address is enough: a name that stands for a public and a private address is either
        a mistake or an attack, and which of them is used would be a matter of luck.
        """
        found = list(addresses)
        for address in found:
            if reason := self.block_reason(address):
                leads = "is" if destination.is_address else f"resolves to {address},"
                message = f"The host {destination.host} {leads} {reason}. {_REMEDY}"
                raise BlockedDestination(message)
        if not all(self.is_permitted(address) for address in found):
            self._check_encryption(destination)

    def block_reason(self, address: str) -> str | None:
        """Return why the address is blocked, as in `a private address`, or None."""
        parsed = literal(address)
        if parsed is None:
            return "not an address"
        if not _METADATA.isdisjoint(_meanings(parsed)):
            # Not even where its network is permitted: credentials of the machine are kept there.
            return "the address of a cloud's metadata service"
        return None if self.is_permitted(address) else _refusal(parsed)

    def is_permitted(self, address: str) -> bool:
        """Whether the installation permits this address by its network."""
        parsed = literal(address)
        meanings = _meanings(parsed) if parsed else ()
        return any(
            meaning in network for meaning in meanings for network in self.permitted_networks
        )

    def _check_encryption(self, destination: Destination) -> None:
        if destination.scheme == "http" and not self.allow_http:
            raise BlockedDestination(
                f"The host {destination.host} would be reached without encryption; "
                "the endpoint must start with https://."
            )


def literal(host: str) -> Address | None:
    """Parse a host that is an address in any form that the system connects to; None for a name.

    `0x7f.1`, `2130706433`, `0177.0.0.1` and `127.1` are all 127.0.0.1 for the system.
    """
    text = host.strip("[]").partition("%")[0].rstrip(".")
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(text)) if _HOST_NAME.fullmatch(text) else None
    except OSError:
        return None


def _parse(url: str) -> Destination:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise BlockedDestination("The endpoint is not a URL.") from error
    if parts.scheme not in ("http", "https"):
        raise BlockedDestination("The endpoint must start with https://.")
    if "@" in parts.netloc:
        raise BlockedDestination("The endpoint must not hold a user name.")
    address = literal(host)
    if address is None and not _HOST_NAME.fullmatch(host):
        raise BlockedDestination("The endpoint's host is neither a name nor an address.")
    if "%" in host:
        raise BlockedDestination("The endpoint's host must not name a network interface.")
    if port is None:
        port = 443 if parts.scheme == "https" else 80
    return Destination(parts.scheme, str(address) if address else host.rstrip("."), port)


def _refusal(address: Address) -> str | None:
    if isinstance(address, IPv4Address):
        return next((reason for net, reason in _REFUSED_V4.items() if address in net), None)
    for network, reason in _REFUSED_V6.items():
        if address in network:
            return reason
    inner = _inner(address)
    if inner is not None:
        return _refusal(inner)
    return None if address in _GLOBAL_V6 else "a reserved address"


def _inner(address: IPv6Address) -> IPv4Address | None:
    for network, shift in _EMBEDDING_V6.items():
        if address in network:
            return IPv4Address(int(address) >> shift & 0xFFFFFFFF)
    return None


def _meanings(address: Address) -> tuple[Address, ...]:
    """Return the address, and the IPv4 address that it embeds, if any."""
    inner = None if isinstance(address, IPv4Address) else _inner(address)
    return (address,) if inner is None else (address, inner)

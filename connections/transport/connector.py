"""Open TCP connections to checked addresses only (the guard against SSRF)."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from connections.core.messages import ErrorCode
from connections.transport.deadline import Deadline
from connections.transport.destination import (
    BlockedDestination,
    Destination,
    DestinationPolicy,
    literal,
)
from connections.transport.dns import Resolver, resolve
from connections.transport.exceptions import SendError, reason


@dataclass(frozen=True)
class SafeConnector:
    """Resolves a name once, checks all of its addresses, and connects to a checked address.

    Never connects to the name, so that a second DNS response can't lead elsewhere (rebinding).
    """

    policy: DestinationPolicy
    resolver: Resolver

    def check_url(self, url: str) -> Destination:
        """Return the destination of a URL; raise SendError if the policy blocks it."""
        try:
            return self.policy.check_url(url)
        except BlockedDestination as error:
            raise SendError(ErrorCode.BLOCKED_ADDRESS, str(error)) from error

    def connect(self, destination: Destination, deadline: Deadline) -> socket.socket:
        """Connect; return a socket whose timeout is the rest of the limit. Raise SendError."""
        addresses = self._addresses(destination, deadline)
        ends_at = deadline.elapsed + min(deadline.limits.connect, deadline.remaining)
        last_error = OSError("no address")
        for index, address in enumerate(addresses):
            # One dead address must not use up the time of the others.
            seconds = (ends_at - deadline.elapsed) / (len(addresses) - index)
            try:
                sock = _open(address, destination.port, seconds)
            except OSError as error:
                last_error = error
            else:
                sock.settimeout(max(ends_at - deadline.elapsed, 0.001))
                return sock
        raise _connect_error(destination, last_error, deadline)

    def _addresses(self, destination: Destination, deadline: Deadline) -> list[str]:
        if destination.is_address:
            addresses = [destination.host]
        else:
            addresses = resolve(destination.host, self.resolver, deadline)
        try:
            self.policy.check_addresses(destination, addresses)
        except BlockedDestination as error:
            raise SendError(ErrorCode.BLOCKED_ADDRESS, str(error)) from error
        return addresses


def _open(address: str, port: int, seconds: float) -> socket.socket:
    if seconds <= 0:
        raise TimeoutError
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        sock.settimeout(seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect((address, port))
        _check_peer(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def _check_peer(sock: socket.socket, address: str) -> None:
    """Raise SendError if the socket's peer is not the checked address: the last line of defence."""
    peer = str(sock.getpeername()[0])
    if literal(peer) != literal(address):
        message = f"The host was reached at {peer}, which was not checked."
        raise SendError(ErrorCode.BLOCKED_ADDRESS, message)


def _connect_error(destination: Destination, error: OSError, deadline: Deadline) -> SendError:
    where = f"{destination.host}, port {destination.port},"
    if isinstance(error, TimeoutError):
        return connect_timeout(destination, deadline)
    if isinstance(error, ConnectionRefusedError):
        return SendError(ErrorCode.CONNECT_REFUSED, f"{where} refused the connection.")
    message = f"{where} could not be connected to ({reason(error)})."
    return SendError(ErrorCode.CONNECT_FAILED, message)


def connect_timeout(destination: Destination, deadline: Deadline) -> SendError:
    """Return the error for a host that was not connected to in time; nothing was sent to it."""
    seconds = min(deadline.limits.connect, deadline.limits.total)
    where = f"{destination.host}, port {destination.port},"
    message = f"{where} could not be connected to within {seconds:g} s."
    return SendError(ErrorCode.CONNECT_TIMEOUT, message)

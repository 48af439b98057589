"""Resolve host names within a time limit."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue

from connections.core.messages import ErrorCode
from connections.transport.deadline import Deadline
from connections.transport.exceptions import SendError, reason

Resolver = Callable[[str], list[str]]
"""Takes a host's name, returns its addresses as texts, raises OSError where there is none."""

_lookups = threading.BoundedSemaphore(64)
"""A lookup can't be interrupted. While DNS is down, at most so many threads hang."""


def system_resolver(host: str) -> list[str]:
    """Return the addresses that the system knows, from its hosts file and DNS."""
    found = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def resolve(host: str, resolver: Resolver, deadline: Deadline) -> list[str]:
    """Return all addresses of a host; raise SendError."""
    seconds = min(deadline.limits.dns, deadline.remaining)
    queue: SimpleQueue[list[str] | Exception] = SimpleQueue()
    if not _lookups.acquire(timeout=max(seconds, 0)):
        raise SendError(ErrorCode.DNS, "Too many names are being looked up; DNS does not answer.")
    # A thread of its own, since getaddrinfo knows no time limit. New connections are few.
    threading.Thread(target=_look_up, args=(host, resolver, queue), daemon=True).start()
    try:
        found = queue.get(timeout=max(seconds, 0))
    except Empty:
        message = f"DNS did not answer within {seconds:.2g} s for the host {host}."
        raise SendError(ErrorCode.DNS, message) from None
    if isinstance(found, Exception):
        message = f"The host {host} was not found ({reason(found)})."
        raise SendError(ErrorCode.DNS, message) from found
    if not found:
        raise SendError(ErrorCode.DNS, f"The host {host} has no address.")
    return list(dict.fromkeys(found))


def _look_up(host: str, resolver: Resolver, queue: SimpleQueue[list[str] | Exception]) -> None:
    try:
        queue.put(_resolve_spellings(host, resolver))
    except Exception as error:
        queue.put(error)
    finally:
        _lookups.release()


def _resolve_spellings(host: str, resolver: Resolver) -> list[str]:
    *first, last = _spellings(host)
    for name in first:
        try:
            return resolver(name)
        except socket.gaierror as error:
            if error.errno != socket.EAI_NONAME:
                raise
    return resolver(last)


def _spellings(host: str) -> Iterator[str]:
    """Yield the name with a trailing dot, then without.

    The dot keeps `crm.example` out of the search domains while it exists; the hosts file knows no
    trailing dots.
    """
    if "." in host:
        yield f"{host}."
    yield host

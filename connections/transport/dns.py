"""Asks DNS within a time limit; must not know which of the addresses may be reached."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue

from connections.core.messages import ErrorCode
from connections.transport.deadline import Deadline
from connections.transport.exceptions import SendError, reason

Resolver = Callable[[str], list[str]]
"""From a host's name to its addresses, as texts; raises OSError where there is none."""

_lookups = threading.BoundedSemaphore(64)
"""A lookup can't be interrupted. While DNS is down, this many threads may hang, and no more."""


def system_resolver(host: str) -> list[str]:
    """What the system says: hosts file and DNS."""
    found = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def resolve(host: str, resolver: Resolver, deadline: Deadline) -> list[str]:
    """All addresses of a host; raises SendError."""
    seconds = min(deadline.limits.dns, deadline.remaining)
    answer: SimpleQueue[list[str] | Exception] = SimpleQueue()
    if not _lookups.acquire(timeout=max(seconds, 0)):
        raise SendError(ErrorCode.DNS, "Too many names are being looked up; DNS does not answer.")
    # A thread of its own, since getaddrinfo knows no time limit. New connections are few.
    threading.Thread(target=_look_up, args=(host, resolver, answer), daemon=True).start()
    try:
        found = answer.get(timeout=max(seconds, 0))
    except Empty:
        message = f"DNS did not answer within {seconds:.2g} s for the host {host}."
        raise SendError(ErrorCode.DNS, message) from None
    if isinstance(found, Exception):
        message = f"The host {host} was not found ({reason(found)})."
        raise SendError(ErrorCode.DNS, message) from found
    if not found:
        raise SendError(ErrorCode.DNS, f"The host {host} has no address.")
    return list(dict.fromkeys(found))


def _look_up(host: str, resolver: Resolver, answer: SimpleQueue[list[str] | Exception]) -> None:
    try:
        answer.put(_first_answer(host, resolver))
    except Exception as error:
        answer.put(error)
    finally:
        _lookups.release()


def _first_answer(host: str, resolver: Resolver) -> list[str]:
    *attempts, last = _questions(host)
    for question in attempts:
        try:
            return resolver(question)
        except socket.gaierror as error:
            if error.errno != socket.EAI_NONAME:
                raise
    return resolver(last)


def _questions(host: str) -> Iterator[str]:
    """With a trailing dot first, so that `crm.example` is never looked for in the search domains
    while it exists. The hosts file knows no dots, so the plain name is asked for after that."""
    if "." in host:
        yield f"{host}."
    yield host

"""Owns what was received, safely for any thread, and must not know how a request is answered."""

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from connections.simulator.request import Request, header_lines

KEPT_REQUESTS = 100_000
KEPT_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Received:
    """One request and what became of it; a status of None means that it got no answer."""

    number: int
    seconds: float
    method: str
    path: str
    head: bytes
    content: bytes
    email: str
    status: int | None
    added: bool

    @property
    def time(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    # The headers and the body are kept as bytes and read when asked for, because a hundred
    # thousand dictionaries would take several times the memory.
    @property
    def headers(self) -> dict[str, str]:
        return dict(header_lines(self.head))

    @property
    def body(self) -> str:
        return self.content.decode(errors="replace")

    @property
    def size(self) -> int:
        return len(self.head) + len(self.content)


class Store:
    """The details of the latest requests, and exact counts of all of them."""

    def __init__(self, kept: int = KEPT_REQUESTS, kept_bytes: int = KEPT_BYTES) -> None:
        self._lock = threading.Lock()
        self._kept, self._kept_bytes = kept, kept_bytes
        self._empty()

    def add(self, list_id: str, address: str) -> bool:
        """Add a person to a list; False if they are on it already."""
        with self._lock:
            before = len(self._people)
            self._people.add((list_id, address))
            return len(self._people) > before

    def keep(self, request: Request, address: str, status: int | None, *, added: bool) -> None:
        with self._lock:
            self._count += 1
            if address:
                self._named[address] += 1
            self._requests.append(
                Received(
                    self._count,
                    time.time(),
                    request.method,
                    request.target,
                    request.head,
                    request.body,
                    address,
                    status,
                    added,
                )
            )
            self._drop_oldest()

    def received(self, email: str = "", limit: int | None = None) -> list[Received]:
        """The latest kept requests, oldest first; with an address, only those naming it."""
        address = email.lower()
        with self._lock:
            latest = (
                one for one in reversed(self._requests) if not address or one.email == address
            )
            return list(islice(latest, limit))[::-1]

    def count(self, email: str = "") -> int:
        with self._lock:
            return self._named.get(email.lower(), 0) if email else self._count

    def people(self, email: str = "") -> int:
        address = email.lower()
        with self._lock:
            if not address:
                return len(self._people)
            return sum(one == address for _, one in self._people)

    def duplicates(self) -> dict[str, int]:
        with self._lock:
            return {address: count for address, count in self._named.items() if count > 1}

    def forget(self) -> None:
        with self._lock:
            self._empty()

    def _empty(self) -> None:
        self._requests: deque[Received] = deque()
        self._people: set[tuple[str, str]] = set()
        self._named: Counter[str] = Counter()
        self._count = 0
        self._bytes = 0

    def _drop_oldest(self) -> None:
        self._bytes += self._requests[-1].size
        while len(self._requests) > self._kept or self._bytes > self._kept_bytes:
            self._bytes -= self._requests.popleft().size

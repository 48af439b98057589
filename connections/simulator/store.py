"""Store the received requests and people; thread-safe."""

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from connections.simulator.request import HTTPRequest, parse_headers

MAX_STORED_REQUESTS = 100_000
MAX_STORED_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A received request and its result; a status of None means that it got no response."""

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
        """The time when the request was received."""
        return datetime.fromtimestamp(self.seconds, UTC)

    # The headers and the body are stored as bytes and parsed on access: a hundred thousand
    # dictionaries would take several times the memory.
    @property
    def headers(self) -> dict[str, str]:
        """The headers as they were sent."""
        return dict(parse_headers(self.head))

    @property
    def body(self) -> str:
        """The body as text."""
        return self.content.decode(errors="replace")

    @property
    def size(self) -> int:
        """The stored size in bytes."""
        return len(self.head) + len(self.content)


class Store:
    """The latest requests in full, and exact counts of all requests and people."""

    def __init__(
        self, max_requests: int = MAX_STORED_REQUESTS, max_bytes: int = MAX_STORED_BYTES
    ) -> None:
        self._lock = threading.Lock()
        self._max_requests, self._max_bytes = max_requests, max_bytes
        self._reset()

    def add(self, list_id: str, address: str) -> bool:
        """Add a person to a list; return False if the list has them already."""
        with self._lock:
            before = len(self._people)
            self._people.add((list_id, address))
            return len(self._people) > before

    def keep(self, request: HTTPRequest, address: str, status: int | None, *, added: bool) -> None:
        """Store a request with the address that it names and the status of its response."""
        with self._lock:
            self._count += 1
            if address:
                self._count_by_address[address] += 1
            self._requests.append(
                ReceivedRequest(
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

    def received(self, email: str = "", limit: int | None = None) -> list[ReceivedRequest]:
        """Return the latest stored requests, oldest first; with an address, those that name it."""
        address = email.lower()
        with self._lock:
            latest = (
                request
                for request in reversed(self._requests)
                if not address or request.email == address
            )
            return list(islice(latest, limit))[::-1]

    def count(self, email: str = "") -> int:
        """Return the number of all requests, or of those that name the address."""
        with self._lock:
            return self._count_by_address.get(email.lower(), 0) if email else self._count

    def people(self, email: str = "") -> int:
        """Return the number of people on all lists, or of the lists that have the address."""
        address = email.lower()
        with self._lock:
            if not address:
                return len(self._people)
            return sum(person == address for _, person in self._people)

    def duplicates(self) -> dict[str, int]:
        """Return the number of requests by address, for addresses received more than once."""
        with self._lock:
            counts = self._count_by_address.items()
            return {address: count for address, count in counts if count > 1}

    def clear(self) -> None:
        """Delete all people, requests and counts."""
        with self._lock:
            self._reset()

    def _reset(self) -> None:
        self._requests: deque[ReceivedRequest] = deque()
        self._people: set[tuple[str, str]] = set()
        self._count_by_address: Counter[str] = Counter()
        self._count = 0
        self._bytes = 0

    def _drop_oldest(self) -> None:
        self._bytes += self._requests[-1].size
        while len(self._requests) > self._max_requests or self._bytes > self._max_bytes:
            self._bytes -= self._requests.popleft().size

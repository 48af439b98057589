"""How long a send may take, as a whole and in each of its parts; must not know what waits."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

from connections.core.messages import ErrorCode
from connections.transport.exceptions import SendError


@dataclass(frozen=True, slots=True)
class SendLimits:
    """Limits of one send. Times are in seconds; `connect` is TCP and TLS together, `read` is how
    long nothing at all may come, `total` is everything from DNS to the body's last byte."""

    connect: float = 5.0
    read: float = 15.0
    total: float = 30.0
    dns: float = 3.0
    body_bytes: int = 64 * 1024


class Deadline:
    """What is left of one send's time; each wait asks here how long it may be."""

    __slots__ = ("_ends_at", "_started_at", "limits")

    def __init__(self, limits: SendLimits) -> None:
        self.limits = limits
        self._started_at = perf_counter()
        self._ends_at = self._started_at + limits.total

    @property
    def elapsed(self) -> float:
        """Seconds since the send began."""
        return perf_counter() - self._started_at

    @property
    def remaining(self) -> float:
        """Seconds until the send is cut; zero or less when it is over."""
        return self._ends_at - perf_counter()

    def for_reading(self) -> float:
        """How long the next read may wait; raises SendError when the time is up."""
        remaining = self.remaining
        if remaining <= 0:
            raise self.timeout()
        return min(remaining, self.limits.read)

    def timeout(self) -> SendError:
        """Which of the two limits a wait that ended without a byte has reached."""
        if self.remaining <= 0:
            message = f"No whole answer came within {self.limits.total:g} s; the send was cut."
            return SendError(ErrorCode.TOTAL_TIMEOUT, message)
        message = f"Nothing came for {self.limits.read:g} s; the request may have arrived."
        return SendError(ErrorCode.READ_TIMEOUT, message)

"""How long a send may take, as a whole and in each of its parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter

from connections.core.messages import ErrorCode
from connections.transport.exceptions import SendError

_MIN_SECONDS = 0.001


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
    """The end of one send's time, or of several that share it; every wait asks how long it may
    take."""

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

    def remaining_limits(self) -> SendLimits:
        """Return the limits of a send that must end with this deadline.

        When no time is left, that send reports the timeout.
        """
        return replace(self.limits, total=max(self.remaining, _MIN_SECONDS))

    def for_reading(self) -> float:
        """Return the seconds that the next read may wait; raise SendError when the time is up."""
        remaining = self.remaining
        if remaining <= 0:
            raise self.timeout()
        return min(remaining, self.limits.read)

    def timeout(self) -> SendError:
        """Return the error for the limit that a wait without a byte has reached: read or total."""
        if self.remaining <= 0:
            message = f"No whole answer came within {self.limits.total:g} s; the send was cut."
            return SendError(ErrorCode.TOTAL_TIMEOUT, message)
        message = f"Nothing came for {self.limits.read:g} s; the request may have arrived."
        return SendError(ErrorCode.READ_TIMEOUT, message)

"""A token bucket: how many deliveries a rate limit allows now; pure."""

from __future__ import annotations

from datetime import datetime

_BURST_SECONDS = 0.1
"""The part of a second's tokens that may be spent at once; the rest is spread over the second."""


def refill(tokens: float, *, per_second: float, since: datetime, now: datetime) -> float:
    """Return the tokens that the bucket holds now, of which it held `tokens` at `since`.

    Any second sees at most `per_second` deliveries and one burst.
    """
    burst = max(1.0, per_second * _BURST_SECONDS)
    # A clock that was put back must not take away tokens.
    seconds = max(0.0, (now - since).total_seconds())
    return min(burst, tokens + seconds * per_second)

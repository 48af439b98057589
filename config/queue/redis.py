"""The connection to Redis for short commands, and the one error that callers see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

_TIMEOUT_SECONDS = 1
"""How long an intake request may wait for Redis: the referral is accepted either way."""


class QueueUnavailableError(Exception):
    """Redis does not answer; the message says so to a person, the cause says why."""


@cache
def redis_connection() -> Any:  # noqa: ANN401 - its types say that every answer may be awaitable.
    """Return the process's connection for commands that may wait a second at most."""
    return Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=_TIMEOUT_SECONDS,
        socket_connect_timeout=_TIMEOUT_SECONDS,
    )


@contextmanager
def redis_errors_translated() -> Iterator[None]:
    """Raise QueueUnavailableError in place of any error of Redis."""
    try:
        yield
    except RedisError as error:
        raise QueueUnavailableError("The queue does not answer.") from error

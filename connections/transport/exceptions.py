"""The exception of this package; the client catches it and never raises it to a caller."""

from __future__ import annotations

from connections.core.messages import ErrorCode, ExchangeError


class SendError(Exception):
    """No whole response came; `error` says why."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.error = ExchangeError(code=code, message=message)


def reason(error: BaseException) -> str:
    """Return the system's message without its numbers: `No route to host`."""
    text = getattr(error, "strerror", None) or str(error)
    return str(text).rstrip(".") or type(error).__name__

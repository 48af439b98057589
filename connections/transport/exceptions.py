"""The way in which a send fails, inside of this package; nothing of it is raised to a caller."""

from __future__ import annotations

from connections.core.messages import ErrorCode, ExchangeError


class SendError(Exception):
    """No whole answer came, for this reason."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.error = ExchangeError(code=code, message=message)


def reason(error: BaseException) -> str:
    """What the system said, without its numbers: `No route to host`."""
    text = getattr(error, "strerror", None) or str(error)
    return str(text).rstrip(".") or type(error).__name__

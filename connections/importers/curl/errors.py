"""The exception of this package."""

from __future__ import annotations


class CurlError(ValueError):
    """A part of a command is not understood; `part` is what was typed, the message says why."""

    def __init__(self, part: str, message: str) -> None:
        super().__init__(f"{part}: {message}" if part else message)
        self.part = part
        self.message = message

"""The exception that tests raise in place of a signal handler."""

from __future__ import annotations


class Interruption(Exception):  # noqa: N818 - as a signal handler may raise it.
    """Raised at any point, as by the handler of a signal."""

"""The simulator as an object: start and stop it, and read what it received."""

from types import TracebackType
from typing import Self

from connections.simulator.handlers import RequestHandler
from connections.simulator.server import Server
from connections.simulator.store import ReceivedRequest, Store

DEMO_KEY = "demo-key"


class CRM:
    """A pretend CRM that listens from `start()` to `stop()`, or within a `with` block.

    `slow_seconds` and `hang_seconds` are the delays for slow@ and hang@; `retry_after` is the
    seconds in the Retry-After header for throttled@.
    """

    def __init__(  # noqa: PLR0913 - all are keyword-only.
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        key: str = DEMO_KEY,
        slow_seconds: float = 2.0,
        hang_seconds: float = 120.0,
        retry_after: int = 1,
    ) -> None:
        self._store = Store()
        delays = {"slow": slow_seconds, "hang": hang_seconds}
        self._handler = RequestHandler(self._store, key, delays, retry_after)
        self._address = (host, port)
        self._server: Server | None = None
        self.key = key

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash; with port 0, known only after `start()`."""
        host, port = self._address
        return f"http://{host}:{port}"

    @property
    def port(self) -> int:
        """The port; 0, if that was given, until `start()`."""
        return self._address[1]

    def start(self) -> Self:
        """Listen and serve in a thread; raise OSError if the port is taken."""
        self._server = Server(self._address, self._handler.handle)
        # The port is kept after `stop()`, so that a test can connect to a port where nothing
        # listens, and so that the next `start()` listens on the same port.
        self._address = (self._address[0], self._server.port)
        self._server.start()
        return self

    def stop(self) -> None:
        """Close all connections and stop listening."""
        if self._server:
            self._server.stop()
            self._server = None

    def received(self, email: str = "") -> list[ReceivedRequest]:
        """Return all stored requests, oldest first; with an address, only those that name it."""
        return self._store.received(email)

    def people(self) -> int:
        """Return the number of added people; a person counts once for each list."""
        return self._store.people()

    def duplicates(self) -> dict[str, int]:
        """Return the number of requests by address, for addresses received more than once."""
        return self._store.duplicates()

    def clear(self) -> None:
        """Delete all people and requests."""
        self._store.clear()

    def change_key(self, key: str) -> None:
        """Accept this key instead of the previous one."""
        self.key = key
        self._handler.change_key(key)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

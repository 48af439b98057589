"""Owns the simulator as tests hold it in their hands, and must not know how bytes travel."""

from types import TracebackType
from typing import Self

from connections.simulator.handlers import Handlers
from connections.simulator.server import Server
from connections.simulator.store import Received, Store

DEMO_KEY = "demo-key"


class CRM:
    """A pretend CRM, listening from `start()` to `stop()` or for the length of a `with` block."""

    def __init__(  # noqa: PLR0913 - all are named.
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
        self._desk = Handlers(self._store, key, delays, retry_after)
        self._address = (host, port)
        self._server: Server | None = None
        self.key = key

    @property
    def url(self) -> str:
        """The address people are sent to, without a trailing slash; known once it has started."""
        host, port = self._address
        return f"http://{host}:{port}"

    @property
    def port(self) -> int:
        """Known once it has started."""
        return self._address[1]

    def start(self) -> Self:
        self._server = Server(self._address, self._desk.answer)
        # The port is kept after the stop, so that a test can find nobody listening there, and so
        # that the next start listens at the same address.
        self._address = (self._address[0], self._server.port)
        self._server.start()
        return self

    def stop(self) -> None:
        if self._server:
            self._server.stop()
            self._server = None

    def received(self, email: str = "") -> list[Received]:
        """Every request still kept, oldest first; with an address, only the requests naming it."""
        return self._store.received(email)

    def people(self) -> int:
        """How many people were added, counting a person once for each list."""
        return self._store.people()

    def duplicates(self) -> dict[str, int]:
        """How many requests named each address that was received more than once."""
        return self._store.duplicates()

    def forget(self) -> None:
        self._store.forget()

    def change_key(self, key: str) -> None:
        """From now on another key is the right one."""
        self.key = key
        self._desk.change_key(key)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

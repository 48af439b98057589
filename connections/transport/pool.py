"""Pools of guarded connections, on urllib3's own."""

from __future__ import annotations

import math
import queue
import socket
import ssl
import threading
from contextlib import suppress
from time import monotonic
from typing import Any

import certifi
import requests.adapters  # noqa: TID251 - the only importer.
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ClosedPoolError
from urllib3.poolmanager import PoolManager
from urllib3.util.ssl_ import create_urllib3_context

from connections.core.messages import ErrorCode
from connections.transport.connector import SafeConnector, connect_timeout
from connections.transport.deadline import Deadline, SendLimits
from connections.transport.destination import Destination
from connections.transport.exceptions import SendError, reason
from connections.transport.socket_stream import DeadlineSocket

MAX_IDLE_SECONDS = 4.0
"""Many servers close after five seconds, some of them just as we send. Such a delivery would be
`unknown`: nobody could tell whether it arrived."""

_MAX_HOSTS = 256


class GuardedConnection(HTTPConnection):
    """urllib3's connection, whose sockets come from the connector."""

    connector: SafeConnector
    destination: Destination
    deadline: Deadline | None = None
    stream: DeadlineSocket | None = None
    keep_until = 0.0

    def open(self, deadline: Deadline) -> DeadlineSocket:
        """Open the connection if it is closed, and return its stream; raise SendError."""
        if self.stream is None:
            self.deadline = deadline
            self._connect_within(deadline)
            self.stream = DeadlineSocket(self.sock)
        self.stream.begin(deadline)
        return self.stream

    def close(self) -> None:
        self.stream = None
        super().close()

    def _new_conn(self) -> socket.socket:
        return self.connector.connect(self.destination, self.deadline or Deadline(SendLimits()))

    def _connect_within(self, deadline: Deadline) -> None:
        # The connector raises SendError, so any other error comes from TLS.
        try:
            self.connect()
        except TimeoutError as error:
            raise connect_timeout(self.destination, deadline) from error
        except ssl.SSLCertVerificationError as error:
            raise self._tls_error(f"has no valid certificate: {error.verify_message}") from error
        except (ssl.SSLError, OSError, ValueError) as error:
            raise self._tls_error(f"could not be spoken to over TLS: {reason(error)}") from error

    def _tls_error(self, what: str) -> SendError:
        return SendError(ErrorCode.TLS, f"{self.destination.host} {what.rstrip('.')}.")


class GuardedTLSConnection(GuardedConnection, HTTPSConnection):
    """The same over TLS; checks the certificate's name and sends it as SNI."""


class GuardedPool(HTTPConnectionPool):
    """The open connections to one destination."""

    ConnectionCls: type[Any] = GuardedConnection
    connector: SafeConnector
    destination: Destination
    idle_at = math.inf

    def borrow(self) -> GuardedConnection:
        """Take a connection, an open one if the server has most likely not closed it."""
        try:
            connection: Any = self._get_conn()
        except ClosedPoolError as error:
            raise SendError(ErrorCode.CONNECT_FAILED, "The client was closed.") from error
        if monotonic() > connection.keep_until:
            connection.close()
        borrowed: GuardedConnection = connection
        return borrowed

    def give_back(self, connection: GuardedConnection, keep_for: float) -> None:
        """Put the connection back for a send within the next `keep_for` seconds."""
        self.idle_at = monotonic() + MAX_IDLE_SECONDS
        if keep_for > 0:
            connection.keep_until = monotonic() + min(keep_for, MAX_IDLE_SECONDS)
        else:
            connection.close()
        self._put_conn(connection)

    def close_idle(self) -> None:
        """Close all connections if nobody sends here any more, so that idle hosts hold no files.

        A busy pool is left alone: a send that finds it empty would open another connection.
        """
        if monotonic() <= self.idle_at or self.pool is None:
            return
        for _ in range(self.pool.qsize()):
            with suppress(queue.Empty):
                connection = self.pool.get_nowait()
                if connection:
                    connection.close()
                self._put_conn(None)

    def _new_conn(self) -> Any:  # noqa: ANN401 - urllib3 types its connections as protocols.
        connection: Any = super()._new_conn()
        connection.connector, connection.destination = self.connector, self.destination
        return connection


class GuardedTLSPool(GuardedPool, HTTPSConnectionPool):
    """The same over TLS."""

    ConnectionCls: type[Any] = GuardedTLSConnection


class GuardedPoolManager(PoolManager):
    """urllib3's pools by destination, all of them guarded."""

    def __init__(self, connector: SafeConnector, **settings: Any) -> None:  # noqa: ANN401 - passed through.
        super().__init__(**settings)
        self._connector = connector
        self.pool_classes_by_scheme = {"http": GuardedPool, "https": GuardedTLSPool}

    def _new_pool(self, scheme: str, host: str, port: int, request_context: Any = None) -> Any:  # noqa: ANN401
        pool: Any = super()._new_pool(scheme, host, port, request_context)
        pool.connector, pool.destination = (
            self._connector,
            Destination(scheme, host.strip("[]"), port),
        )
        return pool


class GuardedAdapter(requests.adapters.HTTPAdapter):
    """requests' adapter over guarded pools.

    The client borrows connections directly, which leaves out sessions and with them cookies,
    redirects, netrc and proxies. Whatever else is sent through this adapter is guarded as well.
    """

    def __init__(self, connector: SafeConnector, pool_size: int, ca_bundle: str | None) -> None:
        self._connector = connector
        self._tls = create_urllib3_context()
        self._tls.load_verify_locations(ca_bundle or certifi.where())
        self._pools: dict[str, GuardedPool] = {}
        self._lock = threading.Lock()
        self._swept_at = monotonic()
        super().__init__(pool_connections=_MAX_HOSTS, pool_maxsize=pool_size)

    def init_poolmanager(
        self,
        connections: int,
        maxsize: int,
        block: bool = False,  # noqa: FBT001, FBT002 - requests calls it so.
        **_: object,
    ) -> None:
        self.poolmanager = GuardedPoolManager(
            self._connector,
            num_pools=connections,
            maxsize=maxsize,
            block=block,
            ssl_context=self._tls,
        )

    def pool(self, origin: str) -> GuardedPool:
        """Return the pool of an origin (`https://crm.example`); raise SendError if blocked."""
        if monotonic() - self._swept_at > MAX_IDLE_SECONDS:
            self._sweep()
        return self._pools.get(origin) or self._open_pool(origin)

    def close(self) -> None:
        with self._lock:
            pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.close()
        super().close()

    def _open_pool(self, origin: str) -> GuardedPool:
        scheme, host, port = self._connector.check_url(origin)
        with self._lock:
            if len(self._pools) >= _MAX_HOSTS:
                # The oldest; urllib3 closes its connections once nobody uses it any more.
                del self._pools[next(iter(self._pools))]
            pool: Any = self.poolmanager.connection_from_host(host, port=port, scheme=scheme)
            self._pools[origin] = pool
            return self._pools[origin]

    def _sweep(self) -> None:
        self._swept_at = monotonic()
        for pool in list(self._pools.values()):
            pool.close_idle()

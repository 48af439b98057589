"""The default time limits of a send, which take half a minute to reach."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from connections.core.messages import ErrorCode
from tests.misbehaving_servers import Server, ServerConnection, full_backlog, loopback_client, post
from tests.misbehaving_servers.scripts import error_code
from tests.timing import WAIT_SECONDS, scaled


@pytest.mark.faults
def test_every_default_limit_ends_a_send() -> None:
    def silent(connection: ServerConnection) -> None:
        connection.read_request()
        connection.wait()

    def dripping(connection: ServerConnection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
        connection.drip(b"x" * 10_000, seconds=0.5)

    is_over = threading.Event()
    with (
        Server(silent) as silent_server,
        Server(dripping) as dripping_server,
        full_backlog() as port,
        loopback_client() as client,
        loopback_client(resolver=lambda host: [str(is_over.wait(WAIT_SECONDS))]) as no_dns,
        ThreadPoolExecutor(4) as threads,
    ):
        futures = [
            threads.submit(client.send, post(silent_server.url)),
            threads.submit(client.send, post(dripping_server.url)),
            threads.submit(client.send, post(f"http://127.0.0.1:{port}/")),
            threads.submit(no_dns.send, post("http://crm.example/")),
        ]
        exchanges = [future.result() for future in futures]
        is_over.set()

    assert [error_code(one) for one in exchanges] == [
        ErrorCode.READ_TIMEOUT,
        ErrorCode.TOTAL_TIMEOUT,
        ErrorCode.CONNECT_TIMEOUT,
        ErrorCode.DNS,
    ]
    for exchange, limit in zip(exchanges, (15, 30, 5, 3), strict=True):
        assert limit <= exchange.duration < limit + scaled(2)

"""Scripts for misbehaving servers, and the exchanges that they lead to."""

from __future__ import annotations

from dataclasses import replace

from connections.core.messages import ErrorCode, Exchange
from tests.misbehaving_servers import (
    LONG_LIMITS,
    Script,
    Server,
    ServerConnection,
    loopback_client,
    post,
)


def exchange_with(script: Script, body_bytes: int = 65536) -> Exchange:
    """Send one request to a server with this script; return the exchange."""
    with Server(script) as server, loopback_client() as client:
        return client.send(post(server.url), replace(LONG_LIMITS, body_bytes=body_bytes))


def respond_and_close(content: bytes) -> Script:
    """Return a script that reads a request, sends the content and closes the connection."""

    def script(connection: ServerConnection) -> None:
        connection.read_request()
        connection.send(content)

    return script


def respond_and_reset(content: bytes) -> Script:
    """Return a script that reads a request, sends the content and resets the connection."""

    def script(connection: ServerConnection) -> None:
        connection.read_request()
        connection.send(content)
        # Without a wait, the client might see the reset before it has read the content.
        connection.wait(0.05)
        connection.reset()

    return script


def head(*lines: str, status: str = "200 OK") -> bytes:
    """Return a status line and headers, with the empty line after them."""
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


def summarize(exchange: Exchange) -> tuple[int | None, bytes | None, ErrorCode | None]:
    """Return status, body and error code."""
    response = exchange.response
    code = error_code(exchange)
    return (response.status, response.body, code) if response else (None, None, code)


def error_code(exchange: Exchange) -> ErrorCode | None:
    return exchange.error.code if exchange.error else None

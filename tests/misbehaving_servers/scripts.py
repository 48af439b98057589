"""Scripts of misbehaving servers, and the exchange that came of one."""

from __future__ import annotations

from dataclasses import replace

from connections.core.messages import ErrorCode, Exchange
from tests.misbehaving_servers import PATIENT, Script, Server, Talk, loopback_client, post


def exchanged(script: Script, body_bytes: int = 65536) -> Exchange:
    with Server(script) as server, loopback_client() as client:
        return client.send(post(server.url), replace(PATIENT, body_bytes=body_bytes))


def then_closed(content: bytes) -> Script:
    def script(talk: Talk) -> None:
        talk.request()
        talk.send(content)

    return script


def then_reset(content: bytes) -> Script:
    def script(talk: Talk) -> None:
        talk.request()
        talk.send(content)
        # Without a wait, the reset would overtake what was sent.
        talk.wait(0.05)
        talk.reset()

    return script


def head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


def seen(exchange: Exchange) -> tuple[int | None, bytes | None, ErrorCode | None]:
    """Status, body, error code."""
    response = exchange.response
    code = exchange.error.code if exchange.error else None
    return (response.status, response.body, code) if response else (None, None, code)

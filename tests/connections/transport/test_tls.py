"""TLS: certificates, names, handshakes and kept connections."""

from __future__ import annotations

import ssl

import pytest

from connections.core.messages import ErrorCode, Exchange
from tests.misbehaving_servers import (
    LONG_LIMITS,
    OK,
    SHORT_LIMITS,
    Server,
    ServerConnection,
    loopback_client,
    post,
    respond_with,
)
from tests.misbehaving_servers.certificates import CertificateAuthority
from tests.timing import scaled


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("certificates"))


def exchange_with(
    authority: CertificateAuthority, tls: ssl.SSLContext
) -> tuple[Exchange, list[bytes]]:
    with (
        Server(respond_with(OK), tls) as server,
        loopback_client(ca_bundle=str(authority.bundle)) as client,
    ):
        return client.send(post(server.url), LONG_LIMITS), server.requests


def test_a_valid_certificate_is_accepted_and_the_connection_kept(
    authority: CertificateAuthority,
) -> None:
    with (
        Server(respond_with(OK), authority.server_context()) as server,
        loopback_client(ca_bundle=str(authority.bundle)) as client,
    ):
        bodies = {client.send(post(server.url), LONG_LIMITS).response.body for _ in range(50)}  # type: ignore[union-attr]
        assert bodies == {b"ok"}
        assert len(server.connections) == 1


def test_the_name_is_sent_and_checked_while_the_address_is_connected_to(
    authority: CertificateAuthority,
) -> None:
    names = []
    tls = authority.server_context("crm.example")
    tls.sni_callback = lambda sock, name, context: names.append(name)
    with (
        Server(respond_with(OK), tls) as server,
        loopback_client(
            ca_bundle=str(authority.bundle), resolver=lambda host: ["127.0.0.1"]
        ) as client,
    ):
        exchange = client.send(post(f"https://crm.example:{server.port}/leads"), LONG_LIMITS)

    assert exchange.error is None
    assert names == ["crm.example"]
    assert server.requests[0].startswith(b"POST /leads HTTP/1.1\r\nHost: crm.example:")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"name": "other.example"}, "Hostname mismatch"),
        ({"is_expired": True}, "certificate has expired"),
        ({"is_self_signed": True}, "self-signed certificate"),
    ],
)
def test_a_bad_certificate_is_refused_before_anything_is_sent(
    authority: CertificateAuthority, settings: dict[str, object], reason: str
) -> None:
    tls = authority.server_context(**settings)  # type: ignore[arg-type]
    exchange, received = exchange_with(authority, tls)

    assert received == []
    assert exchange.response is None
    assert exchange.error is not None
    assert exchange.error.code is ErrorCode.TLS
    assert not exchange.error.code.may_have_arrived
    assert exchange.error.message.startswith(f"localhost has no valid certificate: {reason}")


def test_an_unknown_authority_is_refused_by_default(authority: CertificateAuthority) -> None:
    with (
        Server(respond_with(OK), authority.server_context()) as server,
        loopback_client() as client,
    ):
        exchange = client.send(post(server.url), LONG_LIMITS)

    assert exchange.error is not None
    assert exchange.error.code is ErrorCode.TLS


@pytest.mark.parametrize(
    "greeting", [b"220 mail.example ESMTP\r\n", b"HTTP/1.1 400 Bad\r\n\r\n", b""]
)
def test_a_server_without_tls_is_a_tls_error(greeting: bytes) -> None:
    def script(connection: ServerConnection) -> None:
        connection.send(greeting)

    with Server(script) as server, loopback_client() as client:
        url = f"https://localhost:{server.port}/"
        exchange = client.send(post(url), LONG_LIMITS)

    assert exchange.error is not None
    assert exchange.error.code is ErrorCode.TLS


def test_a_reset_in_the_handshake_is_a_tls_error() -> None:
    def script(connection: ServerConnection) -> None:
        connection.receive()
        connection.reset()

    with Server(script) as server, loopback_client() as client:
        exchange = client.send(post(f"https://localhost:{server.port}/"), LONG_LIMITS)

    assert exchange.error is not None
    assert exchange.error.code is ErrorCode.TLS


def test_a_handshake_without_end_is_a_connect_timeout() -> None:
    def script(connection: ServerConnection) -> None:
        # The beginning of a long handshake record, one byte at a time.
        connection.drip(b"\x16\x03\x03\x3f\xff\x02" + b"\0" * 10_000)

    with Server(script) as server, loopback_client() as client:
        exchange = client.send(post(f"https://localhost:{server.port}/"), SHORT_LIMITS)

    assert exchange.error is not None
    assert exchange.error.code is ErrorCode.CONNECT_TIMEOUT
    assert SHORT_LIMITS.connect <= exchange.duration < SHORT_LIMITS.connect + scaled(2)


def test_a_dripping_body_is_cut_over_tls_too(authority: CertificateAuthority) -> None:
    def script(connection: ServerConnection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
        connection.drip(b"x" * 10_000)

    with (
        Server(script, authority.server_context()) as server,
        loopback_client(ca_bundle=str(authority.bundle)) as client,
    ):
        exchange = client.send(post(server.url), SHORT_LIMITS)

    assert exchange.response is not None
    assert exchange.response.body.startswith(b"xx")
    assert exchange.error is not None
    assert exchange.error.code is ErrorCode.TOTAL_TIMEOUT
    assert exchange.duration < SHORT_LIMITS.total + scaled(2)


def test_a_large_body_arrives_whole_over_tls(authority: CertificateAuthority) -> None:
    body = bytes(range(256)) * 1024
    with (
        Server(respond_with(OK), authority.server_context()) as server,
        loopback_client(ca_bundle=str(authority.bundle)) as client,
    ):
        assert client.send(post(server.url, body), LONG_LIMITS).error is None

    assert server.requests[0].endswith(b"\r\n\r\n" + body)


def test_bytes_after_a_response_are_noticed_inside_a_tls_record(
    authority: CertificateAuthority,
) -> None:
    # The response fills one read of the client exactly; the rest is buffered in the TLS record.
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 8000\r\nX: "
    padding = 8192 - 8000 - len(head) - 4
    response = head + b"x" * padding + b"\r\n\r\n" + b"y" * 8000
    with (
        Server(respond_with(response + OK), authority.server_context()) as server,
        loopback_client(ca_bundle=str(authority.bundle)) as client,
    ):
        found = [client.send(post(server.url), LONG_LIMITS).response for _ in range(2)]
        assert len(server.connections) == 2

    assert [response and len(response.body) for response in found] == [8000, 8000]

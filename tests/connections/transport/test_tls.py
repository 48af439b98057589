"""TLS: certificates, names, handshakes and kept connections."""

from __future__ import annotations

import ssl

import pytest

from connections.core.messages import ErrorCode, Exchange
from tests.misbehaving_servers import (
    OK,
    PATIENT,
    SHORT,
    Server,
    Talk,
    answers,
    loopback_client,
    post,
)
from tests.misbehaving_servers.certificates import Authority
from tests.timing import scaled


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


def exchanged(authority: Authority, tls: ssl.SSLContext) -> tuple[Exchange, list[bytes]]:
    with (
        Server(answers(OK), tls) as server,
        loopback_client(ca_bundle=str(authority.bundle)) as client,
    ):
        return client.send(post(server.url), PATIENT), server.requests


def test_a_valid_certificate_is_accepted_and_the_connection_kept(authority: Authority) -> None:
    with (
        Server(answers(OK), authority.server_context()) as server,
        loopback_client(ca_bundle=str(authority.bundle)) as client,
    ):
        bodies = {client.send(post(server.url), PATIENT).response.body for _ in range(50)}  # type: ignore[union-attr]
        assert bodies == {b"ok"}
        assert len(server.talks) == 1


def test_the_name_is_sent_and_checked_while_the_address_is_connected_to(
    authority: Authority,
) -> None:
    names = []
    tls = authority.server_context("crm.example")
    tls.sni_callback = lambda sock, name, context: names.append(name)
    with (
        Server(answers(OK), tls) as server,
        loopback_client(
            ca_bundle=str(authority.bundle), resolver=lambda host: ["127.0.0.1"]
        ) as client,
    ):
        exchange = client.send(post(f"https://crm.example:{server.port}/leads"), PATIENT)

    assert exchange.error is None
    assert names == ["crm.example"]
    assert server.requests[0].startswith(b"POST /leads HTTP/1.1\r\nHost: crm.example:")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"name": "other.example"}, "Hostname mismatch"),
        ({"is_expired": True}, "certificate has expired"),
        ({"signs_itself": True}, "self-signed certificate"),
    ],
)
def test_a_bad_certificate_is_refused_before_anything_is_sent(
    authority: Authority, settings: dict[str, object], reason: str
) -> None:
    tls = authority.server_context(**settings)  # type: ignore[arg-type]
    exchange, received = exchanged(authority, tls)

    assert received == []
    assert exchange.response is None
    assert exchange.error is not None
    assert exchange.error.code is ErrorCode.TLS
    assert not exchange.error.code.may_have_arrived
    assert exchange.error.message.startswith(f"localhost has no valid certificate: {reason}")


def test_an_unknown_authority_is_refused_by_default(authority: Authority) -> None:
    with Server(answers(OK), authority.server_context()) as server, loopback_client() as client:
        exchange = client.send(post(server.url), PATIENT)

    assert exchange.error is not None
    assert exchange.error.code is ErrorCode.TLS


@pytest.mark.parametrize(
    "greeting", [b"220 mail.example ESMTP\r\n", b"HTTP/1.1 400 Bad\r\n\r\n", b""]
)
def test_a_server_that_speaks_no_tls_is_an_error_of_tls(greeting: bytes) -> None:
    def script(talk: Talk) -> None:
        talk.send(greeting)

    with Server(script) as server, loopback_client() as client:
        url = f"https://localhost:{server.port}/"
        exchange = client.send(post(url), PATIENT)

    assert exchange.error is not None
    assert exchange.error.code is ErrorCode.TLS


def test_a_reset_in_the_handshake_is_an_error_of_tls() -> None:
    def script(talk: Talk) -> None:
        talk.receive()
        talk.reset()

    with Server(script) as server, loopback_client() as client:
        exchange = client.send(post(f"https://localhost:{server.port}/"), PATIENT)

    assert exchange.error is not None
    assert exchange.error.code is ErrorCode.TLS


def test_a_handshake_without_end_is_a_connect_timeout() -> None:
    def script(talk: Talk) -> None:
        # The beginning of a long handshake record, one byte at a time.
        talk.drip(b"\x16\x03\x03\x3f\xff\x02" + b"\0" * 10_000)

    with Server(script) as server, loopback_client() as client:
        exchange = client.send(post(f"https://localhost:{server.port}/"), SHORT)

    assert exchange.error is not None
    assert exchange.error.code is ErrorCode.CONNECT_TIMEOUT
    assert SHORT.connect <= exchange.duration < SHORT.connect + scaled(2)


def test_a_dripping_body_is_cut_over_tls_too(authority: Authority) -> None:
    def script(talk: Talk) -> None:
        talk.request()
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
        talk.drip(b"x" * 10_000)

    with (
        Server(script, authority.server_context()) as server,
        loopback_client(ca_bundle=str(authority.bundle)) as client,
    ):
        exchange = client.send(post(server.url), SHORT)

    assert exchange.response is not None
    assert exchange.response.body.startswith(b"xx")
    assert exchange.error is not None
    assert exchange.error.code is ErrorCode.TOTAL_TIMEOUT
    assert exchange.duration < SHORT.total + scaled(2)


def test_a_large_body_arrives_whole_over_tls(authority: Authority) -> None:
    body = bytes(range(256)) * 1024
    with (
        Server(answers(OK), authority.server_context()) as server,
        loopback_client(ca_bundle=str(authority.bundle)) as client,
    ):
        assert client.send(post(server.url, body), PATIENT).error is None

    assert server.requests[0].endswith(b"\r\n\r\n" + body)


def test_what_comes_beyond_an_answer_is_seen_inside_a_tls_record(authority: Authority) -> None:
    # The answer fills one read of the client exactly; the rest waits in the record.
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 8000\r\nX: "
    padding = 8192 - 8000 - len(head) - 4
    answer = head + b"x" * padding + b"\r\n\r\n" + b"y" * 8000
    with (
        Server(answers(answer + OK), authority.server_context()) as server,
        loopback_client(ca_bundle=str(authority.bundle)) as client,
    ):
        found = [client.send(post(server.url), PATIENT).response for _ in range(2)]
        assert len(server.talks) == 2

    assert [response and len(response.body) for response in found] == [8000, 8000]

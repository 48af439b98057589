"""What the client sends and returns: bytes, headers, redirects, cookies, proxies."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest
import requests.cookies

from connections.core.messages import ErrorCode, Request
from tests.misbehaving_servers import LONG_LIMITS, OK, Server, loopback_client, post, respond_with
from tests.timing import WAIT_SECONDS


def test_the_bytes_that_are_sent_are_those_of_the_request() -> None:
    with Server(respond_with(OK)) as server, loopback_client() as client:
        request = Request(
            method="PUT",
            url=f"http://127.0.0.1:{server.port}/a%20b/c?x=1&y=%C3%BC#part",
            headers=(("Host", "crm.example"), ("x-Odd-CASE", "ümläut €"), ("Content-Length", "3")),
            body=b"\x00\xff!",
        )
        exchange = client.send(request, LONG_LIMITS)

    assert exchange.error is None
    expected = (
        b"PUT /a%20b/c?x=1&y=%C3%BC HTTP/1.1\r\n"
        b"Host: crm.example\r\n"
        b"x-Odd-CASE: \xc3\xbcml\xc3\xa4ut \xe2\x82\xac\r\n"
        b"Content-Length: 3\r\n"
        b"\r\n"
        b"\x00\xff!"
    )
    assert server.requests == [expected]


def test_a_get_has_no_body_and_no_length() -> None:
    with Server(respond_with(OK)) as server, loopback_client() as client:
        request = Request(
            method="GET", url=f"http://127.0.0.1:{server.port}?a=b", headers=(("Host", "h"),)
        )
        assert client.send(request, LONG_LIMITS).error is None

    assert server.requests == [b"GET /?a=b HTTP/1.1\r\nHost: h\r\n\r\n"]


def test_repeated_headers_keep_their_order() -> None:
    headers = (("Host", "h"), ("A", "1"), ("B", "2"), ("A", "3"), ("Content-Length", "0"))
    with Server(respond_with(OK)) as server, loopback_client() as client:
        assert client.send(Request(method="POST", url=server.url, headers=headers)).error is None

    assert server.requests == [
        b"POST /leads HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 2\r\nA: 3\r\nContent-Length: 0\r\n\r\n"
    ]


def test_a_large_body_arrives_whole() -> None:
    body = bytes(range(256)) * 1024
    with Server(respond_with(OK)) as server, loopback_client() as client:
        assert client.send(post(server.url, body), LONG_LIMITS).error is None

    assert server.requests[0].endswith(b"\r\n\r\n" + body)


def test_the_response_is_kept_with_its_headers() -> None:
    response = (
        b"HTTP/1.1 201 Created\r\nX-Name: \xc3\xbc\r\nX-Old: \xfc\r\nSet-Cookie: a=1\r\n"
        b"Set-Cookie: b=2\r\nContent-Length: 5\r\n\r\nhello"
    )
    with Server(respond_with(response)) as server, loopback_client() as client:
        request = post(server.url)
        exchange = client.send(request, LONG_LIMITS)

    assert exchange.request is request
    assert exchange.response is not None
    assert exchange.response.status == 201
    assert exchange.response.headers == (
        ("X-Name", "ü"),
        ("X-Old", "ü"),
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
        ("Content-Length", "5"),
    )
    assert exchange.response.body == b"hello"
    assert exchange.error is None
    assert 0 < exchange.duration < LONG_LIMITS.total
    assert exchange.finished_at.utcoffset() is not None


def test_cookies_are_not_sent_back() -> None:
    with_cookie = OK.replace(b"\r\n", b"\r\nSet-Cookie: session=1\r\n", 1)
    with Server(respond_with(with_cookie)) as server, loopback_client() as client:
        client.send(post(server.url), LONG_LIMITS)
        client.send(post(server.url), LONG_LIMITS)

    assert len(server.requests) == 2
    assert b"cookie" not in b"".join(server.requests).lower()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_response_and_is_not_followed(status: int) -> None:
    redirect = (
        b"HTTP/1.1 %d Moved\r\nLocation: http://169.254.169.254/latest/meta-data/\r\n"
        b"Content-Length: 0\r\n\r\n" % status
    )
    with Server(respond_with(redirect)) as server, loopback_client() as client:
        exchange = client.send(post(server.url), LONG_LIMITS)

    assert exchange.error is None
    assert exchange.response is not None
    assert exchange.response.status == status
    assert len(server.requests) == 1


def test_a_proxy_or_password_of_the_environment_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with Server(respond_with(OK)) as proxy, Server(respond_with(OK)) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        with loopback_client() as client:
            assert client.send(post(server.url), LONG_LIMITS).error is None

    assert proxy.connections == []
    assert b"authorization" not in server.requests[0].lower()


@pytest.mark.parametrize(
    "change",
    [
        {"headers": (("X", "a\r\nEvil: 1"),)},
        {"headers": (("X", "a\nEvil: 1"),)},
        {"headers": (("X", "a\rEvil: 1"),)},
        {"headers": (("X\r\nEvil", "1"),)},
        {"headers": (("X", "a\0b"),)},
        {"headers": (("X", "half \ud83d"),)},
        {"method": "GET / HTTP/1.1\r\nX:"},
        {"method": "get"},
    ],
)
def test_an_invalid_method_or_header_is_never_sent(change: dict[str, object]) -> None:
    with Server(respond_with(OK)) as server, loopback_client() as client:
        exchange = client.send(replace(post(server.url), **change), LONG_LIMITS)  # type: ignore[arg-type]

    assert exchange.response is None
    assert exchange.error is not None
    assert exchange.error.code is ErrorCode.NOT_BUILT
    assert server.connections == []


@pytest.mark.parametrize(
    "url", ["", "/leads", "http:/x", "http://127.0.0.1/a b", "http://127.0.0.1/\r\n", "http://a/ü"]
)
def test_an_invalid_url_is_never_sent(url: str) -> None:
    with loopback_client() as client:
        exchange = client.send(Request(method="POST", url=url), LONG_LIMITS)

    assert exchange.error is not None
    assert exchange.error.code in {ErrorCode.NOT_BUILT, ErrorCode.BLOCKED_ADDRESS}


def test_a_compressed_body_is_sent_unchanged() -> None:
    body = gzip.compress(b"{}")
    with Server(respond_with(OK)) as server, loopback_client() as client:
        client.send(post(server.url, body), LONG_LIMITS)

    assert server.requests[0].endswith(body)


def test_the_adapter_works_in_a_session_of_requests() -> None:
    with (
        Server(respond_with(OK)) as server,
        loopback_client() as client,
        requests.Session() as session,
    ):
        session.mount("http://", client._adapter)
        assert session.get(server.url, timeout=WAIT_SECONDS).text == "ok"

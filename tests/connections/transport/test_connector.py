"""The connector: DNS, checked addresses, and the peer that was reached."""

from __future__ import annotations

import errno
import socket
from ipaddress import ip_network

import pytest

from connections.core.messages import ErrorCode, Exchange
from connections.transport import Client, connector
from connections.transport.destination import DestinationPolicy
from connections.transport.exceptions import SendError
from tests.misbehaving_servers import (
    LONG_LIMITS,
    OK,
    Server,
    loopback_client,
    needs_ipv6,
    post,
    respond_with,
)

REMEDY = (
    "Only public addresses may be reached; whoever runs this installation can permit others by "
    "their network."
)


class FakeResolver:
    """A resolver that records the hosts and returns the given addresses, one list per call."""

    def __init__(self, *addresses: list[str]) -> None:
        self.hosts: list[str] = []
        self._addresses = list(addresses)

    def __call__(self, host: str) -> list[str]:
        self.hosts.append(host)
        return self._addresses.pop(0)


def refusal(exchange: Exchange) -> tuple[ErrorCode, str]:
    assert exchange.response is None
    assert exchange.error is not None
    return exchange.error.code, exchange.error.message


def test_a_name_that_resolves_to_a_private_address_is_blocked() -> None:
    with Client(DestinationPolicy(), resolver=lambda host: ["10.0.0.5"]) as client:
        exchange = client.send(post("https://crm.example/"), LONG_LIMITS)

    assert refusal(exchange) == (
        ErrorCode.BLOCKED_ADDRESS,
        f"The host crm.example resolves to 10.0.0.5, a private address. {REMEDY}",
    )


def test_one_bad_address_among_good_ones_blocks_them_all() -> None:
    addresses = ["8.8.8.8", "2606:4700::1111", "127.0.0.1"]
    with Client(DestinationPolicy(), resolver=lambda host: addresses) as client:
        exchange = client.send(post("https://crm.example/"), LONG_LIMITS)

    assert refusal(exchange) == (
        ErrorCode.BLOCKED_ADDRESS,
        f"The host crm.example resolves to 127.0.0.1, a loopback address. {REMEDY}",
    )


def test_the_name_is_resolved_once_and_the_checked_address_is_used() -> None:
    resolver = FakeResolver(["127.0.0.1"], ["10.0.0.5"])
    with Server(respond_with(OK)) as server, loopback_client(resolver=resolver) as client:
        exchange = client.send(post(f"http://crm.example:{server.port}/"), LONG_LIMITS)

    assert exchange.error is None
    assert resolver.hosts == ["crm.example."]


def test_each_new_connection_is_checked_again() -> None:
    resolver = FakeResolver(["127.0.0.1"], ["10.0.0.5"])
    closing = OK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    with Server(respond_with(closing)) as server, loopback_client(resolver=resolver) as client:
        request = post(f"http://crm.example:{server.port}/")
        assert client.send(request, LONG_LIMITS).error is None
        assert refusal(client.send(request, LONG_LIMITS))[0] is ErrorCode.BLOCKED_ADDRESS


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:7f00:1]"]
)
def test_an_address_in_the_url_is_checked_in_every_form(host: str) -> None:
    with (
        Server(respond_with(OK)) as server,
        Client(DestinationPolicy(allowed_ports=None)) as client,
    ):
        exchange = client.send(post(f"https://{host}:{server.port}/"), LONG_LIMITS)

    code, message = refusal(exchange)
    assert code is ErrorCode.BLOCKED_ADDRESS
    assert "a loopback address" in message
    assert server.connections == []


def test_an_odd_form_of_a_permitted_address_reaches_it() -> None:
    with Server(respond_with(OK)) as server, loopback_client() as client:
        exchange = client.send(post(f"http://0x7f.1:{server.port}/"), LONG_LIMITS)

    assert exchange.error is None


@needs_ipv6
def test_an_ipv6_address_is_reached() -> None:
    with Server(respond_with(OK), address="::1") as server, loopback_client() as client:
        exchange = client.send(post(f"http://[::1]:{server.port}/"), LONG_LIMITS)

    assert exchange.error is None
    assert b"\r\nHost: [::1]:" in server.requests[0]


def test_a_name_that_is_not_found_is_a_dns_error() -> None:
    def resolver(host: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with loopback_client(resolver=resolver) as client:
        exchange = client.send(post("http://crm.example/"), LONG_LIMITS)

    assert refusal(exchange) == (
        ErrorCode.DNS,
        "The host crm.example was not found (Name or service not known).",
    )


def test_a_name_of_the_hosts_file_is_found_without_the_dot() -> None:
    hosts = []

    def resolver(host: str) -> list[str]:
        hosts.append(host)
        if host.endswith("."):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return ["127.0.0.1"]

    with Server(respond_with(OK)) as server, loopback_client(resolver=resolver) as client:
        exchange = client.send(post(f"http://crm.internal:{server.port}/"), LONG_LIMITS)

    assert exchange.error is None
    assert hosts == ["crm.internal.", "crm.internal"]


@pytest.mark.parametrize(
    "failure",
    [
        socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
        OSError("broken"),
        UnicodeError("label too long"),
        RuntimeError("a bug in the resolver"),
    ],
)
def test_every_failure_of_dns_becomes_an_exchange(failure: Exception) -> None:
    def resolver(host: str) -> list[str]:
        raise failure

    with loopback_client(resolver=resolver) as client:
        assert refusal(client.send(post("http://crm.example/"), LONG_LIMITS))[0] is ErrorCode.DNS


def test_a_host_without_an_address_becomes_an_exchange() -> None:
    with loopback_client(resolver=lambda host: []) as client:
        exchange = client.send(post("http://crm.example/"), LONG_LIMITS)

    assert refusal(exchange) == (ErrorCode.DNS, "The host crm.example has no address.")


def test_localhost_is_resolved_by_the_system() -> None:
    with Server(respond_with(OK)) as server, loopback_client() as client:
        assert client.send(post(f"http://localhost:{server.port}/"), LONG_LIMITS).error is None


def test_a_closed_port_refuses_the_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with loopback_client() as client:
        exchange = client.send(post(f"http://127.0.0.1:{port}/"), LONG_LIMITS)

    assert refusal(exchange) == (
        ErrorCode.CONNECT_REFUSED,
        f"127.0.0.1, port {port}, refused the connection.",
    )


def test_the_next_address_is_tried_when_one_refuses() -> None:
    resolver = lambda host: ["::1", "127.0.0.1"]  # noqa: E731
    with Server(respond_with(OK)) as server, loopback_client(resolver=resolver) as client:
        assert client.send(post(f"http://crm.example:{server.port}/"), LONG_LIMITS).error is None


def test_an_unreachable_network_is_a_failed_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_route(*_: object) -> socket.socket:
        raise OSError(errno.EHOSTUNREACH, "No route to host")

    monkeypatch.setattr(connector, "_open", no_route)
    with loopback_client() as client:
        exchange = client.send(post("http://127.0.0.1:8000/"), LONG_LIMITS)

    assert refusal(exchange) == (
        ErrorCode.CONNECT_FAILED,
        "127.0.0.1, port 8000, could not be connected to (No route to host).",
    )


def test_http_to_a_public_name_is_blocked_after_dns() -> None:
    policy = DestinationPolicy(permitted_networks=(ip_network("127.0.0.0/8"),))
    with Client(policy, resolver=lambda host: ["8.8.8.8"]) as client:
        exchange = client.send(post("http://crm.example/"), LONG_LIMITS)

    code, message = refusal(exchange)
    assert code is ErrorCode.BLOCKED_ADDRESS
    assert message == (
        "The host crm.example would be reached without encryption; "
        "the endpoint must start with https://."
    )


def test_a_peer_that_was_not_checked_is_refused() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as sock,
    ):
        connector._check_peer(sock, "127.0.0.1")
        with pytest.raises(SendError, match=r"reached at 127\.0\.0\.1, which was not checked"):
            connector._check_peer(sock, "127.0.0.2")


@pytest.mark.allow_hosts(["127.0.0.1", "0.0.0.0"])
def test_a_socket_that_reached_another_address_sends_nothing() -> None:
    # The system connects 0.0.0.0 to the loopback, so the peer is not the address that was checked.
    policy = DestinationPolicy(permitted_networks=(ip_network("0.0.0.0/8"),))
    with (
        Server(respond_with(OK)) as server,
        Client(policy, resolver=lambda host: ["0.0.0.0"]) as client,
    ):
        exchange = client.send(post(f"http://crm.example:{server.port}/"), LONG_LIMITS)

    assert refusal(exchange) == (
        ErrorCode.BLOCKED_ADDRESS,
        "The host was reached at 127.0.0.1, which was not checked.",
    )
    assert server.requests == []

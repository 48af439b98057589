"""The destination policy: addresses, ports and schemes that may be reached."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.transport.destination import (
    BlockedDestination,
    Destination,
    DestinationPolicy,
    literal,
)

PUBLIC_ONLY = DestinationPolicy()
REMEDY = (
    "Only public addresses may be reached; whoever runs this installation can permit others by "
    "their network."
)


def permitting(*networks: str, **settings: object) -> DestinationPolicy:
    found = tuple(map(ipaddress.ip_network, networks))
    return DestinationPolicy(permitted_networks=found, **settings)  # type: ignore[arg-type]


def refusal(policy: DestinationPolicy, url: str) -> str:
    with pytest.raises(BlockedDestination) as caught:
        policy.check_url(url)
    return str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.255.255", "172.32.0.0", "100.63.255.255",
        "100.128.0.0", "192.0.1.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
        "2606:4700:4700::1111", "2a00:1450:4001:80b::200e", "2001:4860:4860::8888",
        "2400:cb00::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "::8.8.8.8",
    ],
)  # fmt: skip
def test_public_addresses_may_be_reached(address: str) -> None:
    assert PUBLIC_ONLY.block_reason(address) is None


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("0.0.0.0", "an unspecified address"),
        ("0.255.0.1", "an unspecified address"),
        ("10.0.0.5", "a private address"),
        ("100.64.0.1", "a provider's internal address"),
        ("100.127.255.255", "a provider's internal address"),
        ("127.0.0.1", "a loopback address"),
        ("127.255.255.255", "a loopback address"),
        ("169.254.0.1", "a link-local address"),
        ("172.16.0.1", "a private address"),
        ("172.31.255.255", "a private address"),
        ("192.0.0.8", "an address for protocols"),
        ("192.0.2.1", "an address for documentation"),
        ("192.88.99.1", "an address for protocols"),
        ("192.168.255.255", "a private address"),
        ("198.18.0.1", "an address for benchmarks"),
        ("198.19.255.255", "an address for benchmarks"),
        ("198.51.100.1", "an address for documentation"),
        ("203.0.113.1", "an address for documentation"),
        ("224.0.0.1", "a multicast address"),
        ("239.255.255.255", "a multicast address"),
        ("240.0.0.1", "a reserved address"),
        ("255.255.255.255", "a broadcast address"),
        ("::", "an unspecified address"),
        ("::1", "a loopback address"),
        ("64:ff9b:1::808:808", "a translated address"),
        ("100::1", "an address that discards everything"),
        ("2001::1", "a tunnelled address"),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "a tunnelled address"),
        ("2001:2::1", "an address for protocols"),
        ("2001:20::1", "an address for protocols"),
        ("2001:db8::1", "an address for documentation"),
        ("3fff::1", "an address for documentation"),
        ("4000::1", "a reserved address"),
        ("5f00::1", "a reserved address"),
        ("fc00::1", "a private address"),
        ("fdff::1", "a private address"),
        ("fe80::1", "a link-local address"),
        ("fe80::1%eth0", "a link-local address"),
        ("fec0::1", "a private address"),
        ("ff02::1", "a multicast address"),
        ("::2:0:1", "a reserved address"),
        ("crm.example", "not an address"),
    ],
)
def test_all_other_addresses_are_blocked(address: str, reason: str) -> None:
    assert PUBLIC_ONLY.block_reason(address) == reason


@pytest.mark.parametrize("form", ["::ffff:{}", "::{}", "::ffff:0:{}", "64:ff9b::{}"])
@pytest.mark.parametrize("inner", ["10.0.0.5", "127.0.0.1", "169.254.169.254", "100.64.0.1"])
def test_an_embedded_ipv4_address_is_checked_like_the_address_itself(form: str, inner: str) -> None:
    assert (
        PUBLIC_ONLY.block_reason(form.format(inner)) == PUBLIC_ONLY.block_reason(inner) is not None
    )


@given(st.ip_addresses(v=4))
def test_every_ipv4_address_is_checked_the_same_when_embedded(inner: ipaddress.IPv4Address) -> None:
    number = int(inner)
    expected = PUBLIC_ONLY.block_reason(str(inner))
    for start, shift in (("::ffff:0:0", 0), ("64:ff9b::", 0), ("::ffff:0:0:0", 0), ("2002::", 80)):
        embedded = ipaddress.IPv6Address(int(ipaddress.IPv6Address(start)) + (number << shift))
        assert PUBLIC_ONLY.block_reason(str(embedded)) == expected


@given(st.ip_addresses())
def test_an_address_that_is_not_global_in_python_is_never_reached(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if not address.is_global or address.is_multicast or address.is_reserved:
        inner = getattr(address, "ipv4_mapped", None)
        is_exception = inner is not None or address in ipaddress.ip_network("64:ff9b::/96")
        assert is_exception or PUBLIC_ONLY.block_reason(str(address)) is not None


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192",
        "fd00:ec2::254", "fd20:ce::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::",
    ],
)  # fmt: skip
def test_metadata_services_are_blocked_even_where_everything_is_permitted(address: str) -> None:
    policy = permitting("0.0.0.0/0", "::/0")
    assert policy.block_reason(address) == "the address of a cloud's metadata service"


def test_a_permitted_network_may_be_reached_in_every_form() -> None:
    policy = permitting("10.1.0.0/16")
    assert policy.block_reason("10.1.2.3") is None
    assert policy.block_reason("::ffff:10.1.2.3") is None
    assert policy.block_reason("10.2.0.1") == "a private address"


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("127.0.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0X7F.0.0.1", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("0", "0.0.0.0"),
        ("[::1]", "::1"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("[fe80::1%25eth0]", "fe80::1"),
    ],
)
def test_every_form_of_an_address_is_read_as_the_system_reads_it(host: str, address: str) -> None:
    assert str(literal(host)) == address


@pytest.mark.parametrize(
    "host", ["crm.example", "1.2.3.4.5", "256.0.0.1.example", "0x7g", "a", "", "1.1.1.1 x", "08"]
)
def test_a_name_is_no_address(host: str) -> None:
    assert literal(host) is None


_NUMBERS = r"(0x[0-9a-f]{1,8}|0[0-7]{0,11}|[0-9]{1,10})(\.(0x[0-9a-f]{1,4}|[0-9]{1,5})){0,3}"


@given(st.from_regex(_NUMBERS, fullmatch=True))
def test_numbers_are_read_as_the_system_would_connect(host: str) -> None:
    try:
        found = socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)[0][4][0]
    except OSError:
        return
    assert str(literal(host)) == found


def test_a_refused_address_is_explained() -> None:
    assert refusal(PUBLIC_ONLY, "https://10.0.0.5/leads") == (
        f"The host 10.0.0.5 is a private address. {REMEDY}"
    )
    assert refusal(PUBLIC_ONLY, "https://0x7f.1/leads") == (
        f"The host 127.0.0.1 is a loopback address. {REMEDY}"
    )
    assert refusal(PUBLIC_ONLY, "https://[::ffff:10.0.0.5]:443/") == (
        f"The host ::ffff:a00:5 is a private address. {REMEDY}"
    )


@pytest.mark.parametrize("found", [["10.0.0.5"], ["8.8.8.8", "10.0.0.5"], ["10.0.0.5", "8.8.8.8"]])
def test_one_refused_address_of_a_name_is_enough(found: list[str]) -> None:
    with pytest.raises(BlockedDestination) as caught:
        PUBLIC_ONLY.check_addresses(Destination("https", "crm.example", 443), found)
    assert str(caught.value) == (
        f"The host crm.example resolves to 10.0.0.5, a private address. {REMEDY}"
    )


@pytest.mark.parametrize(
    ("url", "destination"),
    [
        ("https://crm.example/leads?a=b#c", ("https", "crm.example", 443)),
        ("https://CRM.example.:8443", ("https", "crm.example", 8443)),
        ("HTTPS://us9.api.mailchimp.com/3.0/", ("https", "us9.api.mailchimp.com", 443)),
        ("https://my_crm.example/", ("https", "my_crm.example", 443)),
        ("https://8.8.8.8/", ("https", "8.8.8.8", 443)),
        ("https://134744072/", ("https", "8.8.8.8", 443)),
        ("https://[2606:4700::1111]/", ("https", "2606:4700::1111", 443)),
    ],
)
def test_a_url_is_parsed_into_its_destination(url: str, destination: tuple[str, str, int]) -> None:
    assert PUBLIC_ONLY.check_url(url) == destination


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "The endpoint must start with https://."),
        ("ftp://crm.example/", "The endpoint must start with https://."),
        ("file:///etc/passwd", "The endpoint must start with https://."),
        ("gopher://crm.example/", "The endpoint must start with https://."),
        ("https://me:secret@crm.example/", "The endpoint must not hold a user name."),
        ("https://crm.example@10.0.0.5/", "The endpoint must not hold a user name."),
        ("https:///leads", "The endpoint's host is neither a name nor an address."),
        ("https://crm example/", "The endpoint's host is neither a name nor an address."),
        ("https://crm..example/", "The endpoint's host is neither a name nor an address."),
        ("https://127.1\\.crm.example/", "The endpoint's host is neither a name nor an address."),
        ("https://%31%32%37.0.0.1/", "The endpoint's host is neither a name nor an address."),
        ("https://①②⑦.0.0.1/", "The endpoint's host is neither a name nor an address."),
        (f"https://{'a' * 64}.example/", "The endpoint's host is neither a name nor an address."),
        (f"https://{'a.' * 130}example/", "The endpoint's host is neither a name nor an address."),
        ("https://[fe80::1%25eth0]/", "The endpoint's host must not name a network interface."),
        ("https://crm.example:abc/", "The endpoint is not a URL."),
        ("https://crm.example:99999/", "The endpoint is not a URL."),
        ("https://[::1/", "The endpoint is not a URL."),
        ("https://crm.example:22/", "Port 22 may not be reached."),
        ("https://crm.example:0/", "Port 0 may not be reached."),
    ],
)  # fmt: skip
def test_an_invalid_url_is_refused_with_the_reason(url: str, sentence: str) -> None:
    assert refusal(PUBLIC_ONLY, url) == sentence


def test_http_needs_to_be_allowed() -> None:
    sentence = (
        "The host crm.example would be reached without encryption; "
        "the endpoint must start with https://."
    )
    assert refusal(PUBLIC_ONLY, "http://crm.example/") == sentence
    assert DestinationPolicy(allow_http=True).check_url("http://crm.example/").port == 80


def test_http_to_a_permitted_network_needs_nothing_else() -> None:
    policy = permitting("127.0.0.0/8")
    assert policy.check_url("http://127.0.0.1:8000/leads").port == 8000
    named = policy.check_url("http://crm.internal/")
    policy.check_addresses(named, ["127.0.0.1", "127.0.0.2"])
    with pytest.raises(BlockedDestination, match="would be reached without encryption"):
        policy.check_addresses(named, ["127.0.0.1", "8.8.8.8"])


@pytest.mark.parametrize("port", [80, 443, 1024, 8443, 9200, 65535])
def test_an_allowed_port_may_be_reached(port: int) -> None:
    assert PUBLIC_ONLY.check_url(f"https://crm.example:{port}/").port == port


@pytest.mark.parametrize("port", [1, 22, 25, 79, 81, 110, 442, 444, 445, 587, 1023])
def test_every_other_port_is_refused(port: int) -> None:
    assert refusal(PUBLIC_ONLY, f"https://crm.example:{port}/") == (
        f"Port {port} may not be reached."
    )


def test_a_permitted_network_does_not_open_its_ports() -> None:
    assert refusal(permitting("127.0.0.0/8"), "http://127.0.0.1:25/") == (
        "Port 25 may not be reached."
    )


def test_ports_are_a_setting() -> None:
    assert permitting(allowed_ports=None).check_url("https://crm.example:22/").port == 22
    only = permitting(allowed_ports=frozenset({443}))
    assert refusal(only, "https://crm.example:8443/") == "Port 8443 may not be reached."

"""The process's shared client: its destination policy and its time limits."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from connections.transport import SendLimits
from connections.transport.destination import ALLOWED_PORTS, BlockedDestination
from connections.transport.shared import destination_policy, send_limits, shared_client


def test_the_client_is_shared() -> None:
    assert shared_client() is shared_client()


def test_the_policy_permits_the_networks_of_the_settings(settings: Any) -> None:
    settings.DELIVERY_PERMITTED_NETWORKS = ["10.20.0.0/16", "fd12::/64"]
    policy = destination_policy()

    assert policy.permitted_networks == (ip_network("10.20.0.0/16"), ip_network("fd12::/64"))
    assert policy.block_reason("10.20.3.4") is None
    assert policy.block_reason("10.21.3.4") == "a private address"
    assert policy.block_reason("127.0.0.1") == "a loopback address"


def test_the_ports_are_those_of_the_destination_policy(settings: Any) -> None:
    assert destination_policy().allowed_ports is ALLOWED_PORTS


def test_https_is_required_unless_the_settings_allow_http(settings: Any) -> None:
    settings.DELIVERY_PERMITTED_NETWORKS = []
    with pytest.raises(BlockedDestination):
        destination_policy().check_url("http://crm.example/")

    settings.DELIVERY_ALLOW_HTTP = True
    assert destination_policy().check_url("http://crm.example/").scheme == "http"


@pytest.mark.parametrize(
    ("asked", "limits"),
    [
        (30.0, SendLimits(connect=5, read=15, total=30)),
        (99.0, SendLimits(connect=5, read=15, total=30)),
        (10.0, SendLimits(connect=5, read=10, total=10)),
        (2.0, SendLimits(connect=2, read=2, total=2)),
    ],
)
def test_a_connection_may_ask_for_less_time_and_never_for_more(
    settings: Any, asked: float, limits: SendLimits
) -> None:
    settings.DELIVERY_CONNECT_TIMEOUT = 5
    settings.DELIVERY_READ_TIMEOUT = 15
    settings.DELIVERY_TOTAL_TIMEOUT = 30

    assert send_limits(asked) == limits

"""Tests of the pump with OAuth 2 connections."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connections.core.request.authorization.oauth2 import OAuth2ClientCredentials
from connections.mapping.to_rows import store_connection
from connections.models import Account, Campaign
from connections.operations.links import link_campaign
from connections.transport.shared import shared_tokens
from referrals.models import Delivery, DeliveryAttempt
from tests.connections.core.factories import spec
from tests.misbehaving_servers import OK, Server, respond_with
from tests.misbehaving_servers.tokens import TokenServer, json_response
from tests.referrals.factories import create_referrals, deliver, logged_attempts
from tests.users import SOMEBODY

pytestmark = pytest.mark.usefixtures("unlimited_slice", "no_cached_tokens")


@pytest.fixture
def no_cached_tokens() -> Iterator[None]:
    """Clear the cache of tokens, as a port may belong to another test's server later."""
    shared_tokens.cache_clear()
    yield
    shared_tokens.cache_clear()


def link_crm(account: Account, campaign: Campaign, crm: Server, token_server: Server) -> None:
    connection_spec = spec(
        endpoints={"production": crm.url},
        authorization=OAuth2ClientCredentials(
            token_url=token_server.url, client_id="me", client_secret="s3cret"
        ),
        document='{"email": "{{ email }}"}',
    )
    link_campaign(
        campaign, connection=store_connection(connection_spec, account=account), by=SOMEBODY
    )


def test_a_renewed_token_and_a_second_send_are_one_attempt(
    account: Account, campaign: Campaign
) -> None:
    refused_once = respond_with(json_response(401, {}), OK)
    with Server(refused_once) as crm, Server(TokenServer()) as token_server:
        link_crm(account, campaign, crm, token_server)
        create_referrals(campaign, "jo@example.com")

        assert deliver() == {"delivered": 1}

        assert (len(crm.requests), len(token_server.requests)) == (2, 2)
        assert b"\r\nAuthorization: Bearer token-2\r\n" in crm.requests[1]
    assert Delivery.objects.get().attempts_used == 1
    assert logged_attempts() == [(1, "delivered", 200)]
    assert '["Authorization", "Bearer ••••"]' in DeliveryAttempt.objects.get().request_headers


@pytest.mark.parametrize(("status", "outcome"), [(503, "unavailable"), (401, "unauthorized")])
def test_a_failed_token_request_is_one_attempt(
    account: Account, campaign: Campaign, status: int, outcome: str
) -> None:
    with (
        Server(respond_with(OK)) as crm,
        Server(respond_with(json_response(status, {}))) as token_server,
    ):
        link_crm(account, campaign, crm, token_server)
        create_referrals(campaign, "jo@example.com")

        assert deliver() == {outcome: 1}

        assert crm.requests == []
    assert logged_attempts() == [(1, outcome, None)]
    assert Delivery.objects.get().status == "pending"

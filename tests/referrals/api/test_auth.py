"""Tests of authenticating the callers of the intake API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import RequestFactory
from django.urls import ResolverMatch
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from connections.models import Account, Campaign
from referrals.api import views
from referrals.api.auth import AuthenticatedCaller, IntakeKeyBearer
from referrals.models import IntakeKey
from referrals.models.intake_keys import issue_key


@pytest.fixture
def token(account: Account) -> str:
    return issue_key(IntakeKey(account=account, name="Website"))


def authenticate(token: str, **url_kwargs: Any) -> AuthenticatedCaller | None:
    request = RequestFactory().post("/")
    request.resolver_match = ResolverMatch(views.create_referrals, (), url_kwargs)
    return IntakeKeyBearer().authenticate(request, token)


def test_a_key_identifies_its_account_and_the_campaign_in_one_query(
    account: Account,
    campaign: Campaign,
    token: str,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(1):
        caller = authenticate(token, campaign_key=campaign.key)

        assert caller == AuthenticatedCaller(account_id=account.pk, campaign=campaign)
        assert caller.campaign
        assert (caller.campaign.name, caller.campaign.status) == (campaign.name, "live")
        assert caller.campaign.account_id == account.pk


def test_a_url_without_a_campaign_key_gives_no_campaign(account: Account, token: str) -> None:
    assert authenticate(token) == AuthenticatedCaller(account_id=account.pk, campaign=None)


def test_a_campaign_of_another_account_is_not_found(campaign: Campaign) -> None:
    other = Account.objects.create(name="Other", slug="other")
    token = issue_key(IntakeKey(account=other, name="Website"))

    assert authenticate(token, campaign_key=campaign.key) == AuthenticatedCaller(
        account_id=other.pk, campaign=None
    )


@pytest.mark.parametrize("spoil", [str.upper, lambda token: f"{token} ", lambda token: token[:-1]])
def test_an_altered_key_is_refused(
    campaign: Campaign, token: str, spoil: Callable[[str], str]
) -> None:
    assert authenticate(spoil(token), campaign_key=campaign.key) is None


def test_a_revoked_key_is_refused_at_once_and_other_keys_stay_valid(
    account: Account, campaign: Campaign, token: str
) -> None:
    other = issue_key(IntakeKey(account=account, name="Shop"))
    assert authenticate(token, campaign_key=campaign.key) is not None

    IntakeKey.objects.filter(name="Website").update(revoked_at=timezone.now())

    assert authenticate(token, campaign_key=campaign.key) is None
    assert authenticate(other, campaign_key=campaign.key) is not None

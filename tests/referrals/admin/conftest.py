"""Fixtures for the tests of the admin: users and deliveries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from connections.models import Account, Campaign, Connection, Link
from referrals.models import Delivery, DeliveryAttempt, Referral
from tests.referrals.admin.helpers import PERSON
from tests.referrals.factories import create_referrals, deliver
from tests.users import create_user, login_client


@pytest.fixture
def editor(account: Account) -> User:
    return create_user("Eda", account, role="Editor", sees_customers=True)


@pytest.fixture
def browser(editor: User) -> Client:
    return login_client(editor)


@pytest.fixture
def reporter(account: Account) -> Client:
    return login_client(create_user("Rob", account, role="Reporter"))


@pytest.fixture
def create_delivery(campaign: Campaign, connection: Connection) -> Callable[..., Delivery]:
    """Return a function that creates a delivery with one attempt and the given columns."""

    def create(name: str, status: str = "delivered", **columns: Any) -> Delivery:
        own = ("created_at", "outcome", "claimed_at")
        of_delivery = {key: columns.pop(key) for key in own if key in columns}
        at = of_delivery.pop("created_at", timezone.now())
        referral = Referral.objects.create(
            campaign=columns.pop("campaign", campaign), external_id=name, accepted_at=at,
            attributes={"email": f"{name}@Example.com"},
        )  # fmt: skip
        is_pending = status == "pending"
        delivery = Delivery.objects.create(
            referral=referral, campaign=referral.campaign,
            connection=columns.pop("connection", connection), status=status,
            due_at=at if is_pending else None, created_at=at, attempt_number=1,
            finished_at=None if is_pending else at + timedelta(seconds=1.25),
            **{"outcome": "" if is_pending else status, **of_delivery},
        )  # fmt: skip
        values = {"outcome": "delivered", "response_status": 200, **columns}
        DeliveryAttempt.objects.create(
            delivery=delivery, number=1, trigger="first", started_at=at, request_url="https://crm/",
            response_body=b'{"id": 1}', **values,
        )  # fmt: skip
        return delivery

    return create


@pytest.fixture
def delivery(campaign: Campaign, link: Link) -> Delivery:
    """Deliver a referral that the CRM refuses with a reason that contains the email address."""
    create_referrals(campaign, "exists@example.com", **PERSON)
    deliver()
    return Delivery.objects.get()

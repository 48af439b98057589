"""Tests of the constraints of the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from connections.models import Account, Campaign, Connection
from referrals.models import Delivery, DeliveryAttempt, Referral
from tests.referrals.factories import NOW, create_pending


class Rows:
    """A delivery with an attempt, beside which other rows are created."""

    def __init__(self, campaign: Campaign, connection: Connection) -> None:
        self.campaign, self.connection = campaign, connection
        [self.delivery] = create_pending(campaign, connection, "order-1")
        self.attempt(number=1)

    def referral(self, external_id: str) -> Referral:
        return Referral.objects.create(
            campaign=self.campaign, external_id=external_id, accepted_at=NOW
        )

    def attempt(self, **fields: Any) -> None:
        DeliveryAttempt.objects.create(
            delivery=self.delivery, outcome="unknown", trigger="first", started_at=NOW, **fields
        )

    def change(self, **columns: Any) -> None:
        Delivery.objects.update(**columns)


REFUSED: dict[str, list[Callable[[Rows], object]]] = {
    "referral_external_id_in_campaign": [lambda rows: rows.referral("order-1")],
    "referral_has_external_id": [lambda rows: rows.referral("")],
    "delivery_once_to_a_connection": [
        lambda rows: Delivery.objects.create(
            referral=rows.delivery.referral, connection=rows.connection, created_at=NOW, due_at=NOW
        )
    ],
    "delivery_is_due_while_pending": [
        lambda rows: rows.change(due_at=None),
        lambda rows: rows.change(status="delivered"),
        lambda rows: rows.change(status="delivered", due_at=None, claimed_at=NOW),
    ],
    "delivery_status_is_known": [lambda rows: rows.change(status="lost", due_at=None)],
    "attempt_number_in_delivery": [lambda rows: rows.attempt(number=1)],
}


def test_every_constraint_has_a_case() -> None:
    models = apps.get_app_config("referrals").get_models()

    assert {one.name for model in models for one in model._meta.constraints} == set(REFUSED)


@pytest.mark.parametrize(
    "refused", [one for those in REFUSED.values() for one in those], ids=lambda _: ""
)
def test_the_database_refuses_a_row_that_breaks_a_constraint(
    campaign: Campaign, connection: Connection, refused: Callable[[Rows], object]
) -> None:
    rows = Rows(campaign, connection)

    with pytest.raises(IntegrityError), transaction.atomic():
        refused(rows)


def test_the_database_accepts_similar_rows_that_are_valid(
    account: Account, campaign: Campaign, connection: Connection
) -> None:
    rows = Rows(campaign, connection)

    rows.referral("order-2")
    rows.attempt(number=2)
    rows.change(claimed_at=NOW)
    rows.change(status="delivered", due_at=None, claimed_at=None, finished_at=timezone.now())

    assert (Referral.objects.count(), DeliveryAttempt.objects.count()) == (2, 2)


@pytest.mark.parametrize("name", ["connection", "campaign", "account", "referral", "delivery"])
def test_a_row_that_attempts_depend_on_cannot_be_deleted(
    campaign: Campaign, connection: Connection, name: str
) -> None:
    rows = Rows(campaign, connection)
    row = {
        "connection": connection,
        "campaign": campaign,
        "account": campaign.account,
        "referral": rows.delivery.referral,
        "delivery": rows.delivery,
    }[name]

    with pytest.raises(ProtectedError):
        row.delete()

    assert DeliveryAttempt.objects.count() == 1

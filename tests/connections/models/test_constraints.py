"""Tests of the constraints of the tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.utils import timezone

from connections.models import (
    Account,
    Campaign,
    Connection,
    CustomAttribute,
    Endpoint,
    ExpectedResponse,
    HistoryEntry,
    Link,
    ResponseRule,
    TechnicalContact,
)
from connections.models.history import get_content_type


class Rows:
    """One row of each model, and methods that create others beside it."""

    def __init__(self, link: Link) -> None:
        self.link, self.campaign, self.connection = link, link.campaign, link.connection
        self.account = self.campaign.account
        for _ in range(2):
            CustomAttribute.objects.get_or_create(account=self.account, key="shoe_size")
            TechnicalContact.objects.get_or_create(connection=self.connection, email="a@a.com")
            ExpectedResponse.objects.get_or_create(
                connection=self.connection, name="Created", outcome="delivered"
            )

    def campaigns(self, **fields: Any) -> None:
        defaults = {"account": self.account, "name": "New", "kind": "lead_generation"}
        Campaign.objects.create(**{**defaults, **fields})

    def connections(self, **fields: Any) -> None:
        Connection.objects.create(**{"account": self.account, "name": "New", **fields})

    def rules(self, **fields: Any) -> None:
        ResponseRule.objects.create(
            **{"connection": self.connection, "status": "200", "outcome": "delivered", **fields}
        )

    def expected(self, **fields: Any) -> None:
        ExpectedResponse.objects.create(
            **{"connection": self.connection, "name": "New", "outcome": "delivered", **fields}
        )

    def links(self, **fields: Any) -> None:
        ends = {"campaign": self.campaign, "connection": self.connection}
        Link.objects.create(**{**ends, "linked_at": timezone.now(), **fields})

    def history(self, door: str) -> None:
        HistoryEntry.objects.create(
            content_type=get_content_type(Connection), object_id="1", door=door, message="Made."
        )

    def endpoints(self, environment: str) -> None:
        Endpoint.objects.create(connection=self.connection, environment=environment, url="x")


REFUSED: dict[str, Callable[[Rows], object]] = {
    "campaign_name_in_account": lambda rows: rows.campaigns(name="Newsletter"),
    "campaign_kind_is_known": lambda rows: rows.campaigns(kind="telepathy"),
    "campaign_status_is_known": lambda rows: rows.campaigns(status="sleeping"),
    "custom_attribute_key_in_account": lambda rows: CustomAttribute.objects.create(
        account=rows.account, key="shoe_size"
    ),
    "connection_name_in_account": lambda rows: rows.connections(name="Mailing list"),
    "connection_method_is_known": lambda rows: rows.connections(method="BREW"),
    "connection_state_is_known": lambda rows: rows.connections(state="sleeping"),
    "endpoint_for_each_environment": lambda rows: rows.endpoints("production"),
    "endpoint_environment_is_known": lambda rows: rows.endpoints("moon"),
    "contact_once_a_connection": lambda rows: TechnicalContact.objects.create(
        connection=rows.connection, name="Twice", email="a@a.com"
    ),
    "rule_has_a_condition": lambda rows: rows.rules(status=""),
    "rule_outcome_is_known": lambda rows: rows.rules(outcome="unrecognised"),
    "expected_response_name_in_connection": lambda rows: rows.expected(name="Created"),
    "expected_response_status_is_possible": lambda rows: rows.expected(status=99),
    "expected_response_outcome_is_known": lambda rows: rows.expected(outcome="lost"),
    "link_on_once": lambda rows: rows.links(),
    "link_ends_after_it_began": lambda rows: rows.links(
        unlinked_at=timezone.now() - timedelta(days=1)
    ),
    "history_door_is_known": lambda rows: rows.history(door="window"),
}


def test_every_constraint_is_in_the_table_of_this_test() -> None:
    models = apps.get_app_config("connections").get_models()

    assert {constraint.name for model in models for constraint in model._meta.constraints} == set(
        REFUSED
    )


@pytest.mark.parametrize("name", REFUSED)
def test_a_row_that_violates_a_constraint_is_refused(link: Link, name: str) -> None:
    rows = Rows(link)

    with pytest.raises(IntegrityError), transaction.atomic():
        REFUSED[name](rows)


def test_a_similar_valid_row_is_accepted(link: Link, account: Account) -> None:
    rows = Rows(link)
    other = Account.objects.create(name="Other", slug="other")

    rows.campaigns(account=other, name="Newsletter")
    rows.connections(account=other, name="Mailing list")
    rows.endpoints("staging")
    rows.rules(status="", where="text", operator="exists")
    rows.expected(status=599)
    rows.history(door="command")
    link.unlinked_at = timezone.now()
    link.save()
    rows.links()

    assert [link.is_active for link in Link.objects.order_by("pk")] == [False, True]
    assert Link.objects.active().count() == 1


@pytest.mark.parametrize("model", [Account, Campaign])
def test_an_accounts_slug_and_a_campaigns_key_are_unique(link: Link, model: Any) -> None:
    field = "slug" if model is Account else "key"
    taken = getattr(model.objects.get(), field)
    others = {"name": "Other", "kind": "lead_generation", "account": link.campaign.account}
    fields = {name: value for name, value in others.items() if hasattr(model, name)}

    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.create(**{field: taken}, **fields)

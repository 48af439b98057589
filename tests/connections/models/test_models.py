"""What the database refuses, and the one value that all rows of a connection make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from connections.core.attributes import CATALOGUE, AttributeType, CampaignKind
from connections.core.errors import DescriptionError
from connections.core.request.authorization.static import Basic
from connections.core.spec import ConnectionSpec, Environment
from connections.models import (
    Account,
    Campaign,
    Connection,
    CustomAttribute,
    Endpoint,
    ExpectedResponse,
    Link,
    ResponseRule,
    TechnicalContact,
)


class Rows:
    """One row of each kind, beside which others are made."""

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
        made = {"account": self.account, "name": "New", "kind": "lead_generation", **fields}
        Campaign.objects.create(**made)

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
}


def test_every_constraint_has_its_test() -> None:
    models = apps.get_app_config("connections").get_models()

    assert {one.name for model in models for one in model._meta.constraints} == set(REFUSED)


@pytest.mark.parametrize("name", REFUSED)
def test_the_database_refuses(link: Link, name: str) -> None:
    rows = Rows(link)

    with pytest.raises(IntegrityError), transaction.atomic():
        REFUSED[name](rows)


def test_what_is_like_it_and_right_is_not_refused(link: Link, account: Account) -> None:
    rows = Rows(link)
    other = Account.objects.create(name="Other", slug="other")

    rows.campaigns(account=other, name="Newsletter")
    rows.connections(account=other, name="Mailing list")
    rows.endpoints("staging")
    rows.rules(status="", where="text", operator="exists")
    rows.expected(status=599)
    link.unlinked_at = timezone.now()
    link.save()
    rows.links()

    assert [one.is_active for one in Link.objects.order_by("pk")] == [False, True]
    assert Link.objects.active().count() == 1


@pytest.mark.parametrize("model", [Account, Campaign])
def test_what_names_a_thing_outside_is_unique(link: Link, model: Any) -> None:
    field = "slug" if model is Account else "key"
    taken = getattr(model.objects.get(), field)
    others = {"name": "Other", "kind": "lead_generation", "account": link.campaign.account}
    fields = {name: value for name, value in others.items() if hasattr(model, name)}

    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.create(**{field: taken}, **fields)


def test_the_rows_make_the_value_from_which_they_were_made(
    connection: Connection, described: ConnectionSpec
) -> None:
    assert Connection.objects.get().spec() == described


def test_an_environment_may_have_credentials_of_its_own(connection: Connection) -> None:
    Endpoint.objects.filter(environment="testing").update(
        secrets={"password": "for tests", "credentials.extra": "more", "empty": ""}
    )

    connection = Connection.objects.get()
    production, testing, staging = (
        connection.spec(one)
        for one in (Environment.PRODUCTION, Environment.TESTING, Environment.STAGING)
    )
    assert production.authorization == Basic(username="referrals", password="demo-key")
    assert production.credentials == {}
    assert testing.authorization == Basic(username="referrals", password="for tests")
    assert testing.credentials == {"extra": "more"}
    assert staging == production


def test_settings_of_a_kind_that_was_chosen_before_do_no_harm(connection: Connection) -> None:
    connection.authorization_kind = "bearer"
    connection.secrets = {**connection.secrets, "token": "abc"}

    assert connection.spec().authorization.to_settings() == {"token": "abc"}


def test_rules_are_read_in_their_order(connection: Connection) -> None:
    ResponseRule.objects.create(connection=connection, position=0, status="201", outcome="rejected")

    assert [str(rule) for rule in Connection.objects.get().reading().rules] == [
        "status 201 → rejected",
        "status 400 and json title equals Member Exists → duplicate",
        "status 200 and json id exists → delivered",
    ]


def test_a_whole_connection_takes_a_few_queries(
    connection: Connection, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(5):
        [row] = Connection.objects.with_everything()
        row.spec()
        row.account.catalogue()


def test_the_catalogue_is_everybodys_and_ones_own(account: Account) -> None:
    CustomAttribute.objects.create(account=account, key="shoe_size", label="Shoe size")
    CustomAttribute.objects.create(
        account=account, key="colour", label="Colour", type="integer", is_personal=False
    )

    catalogue = account.catalogue()

    assert catalogue.keys() - CATALOGUE.keys() == {"shoe_size", "colour"}
    assert catalogue["shoe_size"].shared_by == {CampaignKind.LEAD_GENERATION}
    assert catalogue["colour"].shared_by == frozenset(CampaignKind)
    assert catalogue["colour"].type is AttributeType.INTEGER
    assert replace(catalogue["shoe_size"], key="x").label == "Shoe size"


@pytest.mark.parametrize("key", ["email", "credentials", "Shoe", "shoe-size", "1st", ""])
def test_a_custom_attribute_needs_a_name_of_its_own(account: Account, key: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        CustomAttribute(account=account, key=key, label="Label").full_clean()

    assert list(refusal.value.message_dict) == ["key"]


def test_a_rule_that_is_none_says_so_where_it_is_shown(connection: Connection) -> None:
    broken = ResponseRule(connection=connection, status="soon", outcome="delivered")

    assert str(broken) == (
        'status: "soon" is no status; write 201, 2xx, 400-499, or several with commas.'
    )
    with pytest.raises(DescriptionError):
        broken.to_domain()

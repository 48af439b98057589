"""Tests of referrals in the admin, and of what cannot be changed there."""

from __future__ import annotations

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from connections.models import Campaign, Link
from connections.simulator import CRM
from referrals.models import Delivery, DeliveryAttempt, Referral
from tests.referrals.admin.helpers import get_html, page_url, run_action
from tests.referrals.factories import create_referrals, deliver

pytestmark = pytest.mark.usefixtures("unmanifested_static", "unlimited_slice")


@pytest.mark.parametrize(("model", "status"), [(Referral, 403), (Delivery, 200)])
def test_referrals_and_deliveries_cannot_be_added_changed_or_deleted(
    admin_client: Client, campaign: Campaign, link: Link, crm: CRM, model: type[Model], status: int
) -> None:
    create_referrals(campaign, "jo@example.com")
    deliver()
    row = model._default_manager.get()
    before = [
        list(each._default_manager.values()) for each in (Referral, Delivery, DeliveryAttempt)
    ]
    name = f"admin:referrals_{model._meta.model_name}"

    responses = [
        admin_client.post(reverse(f"{name}_add"), {"external_id": "x"}),
        admin_client.post(reverse(f"{name}_change", args=[row.pk]), {"status": "rejected"}),
        admin_client.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}),
    ]

    assert [response.status_code for response in responses] == [403, status, 403]
    after = [list(each._default_manager.values()) for each in (Referral, Delivery, DeliveryAttempt)]
    assert after == before


def test_a_referral_shows_its_attributes_only_with_the_permission_to_see_customers(
    browser: Client, reporter: Client, delivery: Delivery
) -> None:
    url = f"/admin/referrals/referral/{delivery.referral_id}/change/"
    html, hidden = get_html(browser, url), get_html(reporter, url)
    assert "<bdi>Jolanda</bdi>" in html
    assert ("Jolanda" in hidden, "<bdi>••••</bdi>" in hidden) == (False, True)
    assert "First name" in hidden


def test_referrals_are_found_by_external_id(browser: Client, delivery: Delivery) -> None:
    found = get_html(browser, "/admin/referrals/referral/?q=exists")
    assert "1 referral" in found
    assert "Nothing fits." in get_html(browser, "/admin/referrals/referral/?q=nobody")


def test_an_external_id_that_is_an_email_address_is_hidden_from_a_reporter_on_every_page(
    reporter: Client, browser: Client, delivery: Delivery
) -> None:
    run_action(browser, delivery, "replay")
    for url in (
        "/admin/referrals/delivery/",
        "/admin/referrals/referral/",
        page_url(delivery, "change/"),
        page_url(delivery, "history/"),
        f"/admin/referrals/referral/{delivery.referral_id}/change/",
        f"/admin/referrals/referral/{delivery.referral_id}/history/",
    ):
        html = get_html(reporter, url)
        assert "exists@example.com" not in html
        assert "••••" in html
    assert "exists@example.com" in get_html(browser, "/admin/referrals/delivery/")

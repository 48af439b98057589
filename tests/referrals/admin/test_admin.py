"""The admin of what happens to referrals: a key is shown once, and the log is there to be read."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connections.models import Account, Campaign, Link
from connections.simulator import CRM
from referrals.models import Delivery, DeliveryAttempt, IntakeKey, Referral
from tests.referrals.factories import Door, create_referrals, deliver

pytestmark = pytest.mark.usefixtures("uncollected", "patient")

KEYS = reverse("admin:referrals_intakekey_changelist")


def issue(browser: Client, account: Account) -> Any:
    form = {"account": account.pk, "name": "Website"}
    return browser.post(reverse("admin:referrals_intakekey_add"), form, follow=True)


def token_in(response: Any) -> str:
    found = re.findall(r"rk_[\w-]{43}", response.content.decode())
    assert len(set(found)) == 1
    return str(found[0])


def test_a_new_key_is_shown_once_and_opens_the_api(
    admin_client: Client, client: Client, account: Account, campaign: Campaign
) -> None:
    token = token_in(issue(admin_client, account))

    key = IntakeKey.objects.get()
    change = reverse("admin:referrals_intakekey_change", args=[key.pk])
    for address in (KEYS, change):
        assert token not in admin_client.get(address).content.decode()
    assert (key.account, key.name, key.start) == (account, "Website", token[:8])
    assert Door(client, token).post({"external_id": "a", "attributes": {}})[0] == 202


def test_a_key_that_is_renamed_stays_the_same(admin_client: Client, account: Account) -> None:
    issue(admin_client, account)
    key = IntakeKey.objects.get()

    response = admin_client.post(
        reverse("admin:referrals_intakekey_change", args=[key.pk]),
        {"account": account.pk, "name": "Shop"},
        follow=True,
    )

    assert not re.search(r"rk_[\w-]{43}", response.content.decode())
    renamed = IntakeKey.objects.get()
    assert (renamed.name, renamed.digest) == ("Shop", key.digest)


def test_a_revoked_key_opens_nothing(
    admin_client: Client, client: Client, account: Account, campaign: Campaign
) -> None:
    token = token_in(issue(admin_client, account))
    key = IntakeKey.objects.get()
    revoke = {"action": "revoke_keys", "_selected_action": [key.pk]}

    page = admin_client.post(KEYS, revoke, follow=True).content.decode()

    assert "Keys revoked: 1." in page
    assert Door(client, token).post({"external_id": "a", "attributes": {}})[0] == 401
    first = IntakeKey.objects.get().revoked_at
    assert first is not None
    assert first <= timezone.now()
    assert "Keys revoked: 0." in admin_client.post(KEYS, revoke, follow=True).content.decode()
    assert IntakeKey.objects.get().revoked_at == first


@pytest.mark.parametrize(("model", "status"), [(Referral, 403), (Delivery, 200)])
def test_nobody_adds_changes_or_deletes_what_has_happened(
    admin_client: Client, campaign: Campaign, link: Link, crm: CRM, model: type[Model], status: int
) -> None:
    create_referrals(campaign, "jo@example.com")
    deliver()
    row = model._default_manager.get()
    before = [list(one._default_manager.values()) for one in (Referral, Delivery, DeliveryAttempt)]
    name = f"admin:referrals_{model._meta.model_name}"

    answers = [
        admin_client.post(reverse(f"{name}_add"), {"external_id": "x"}),
        admin_client.post(reverse(f"{name}_change", args=[row.pk]), {"status": "rejected"}),
        admin_client.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [403, status, 403]
    after = [list(one._default_manager.values()) for one in (Referral, Delivery, DeliveryAttempt)]
    assert after == before

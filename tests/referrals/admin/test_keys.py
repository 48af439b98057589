"""Tests of intake keys in the admin."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connections.models import Account, Campaign
from referrals.models import IntakeKey
from tests.referrals.factories import IntakeClient

pytestmark = pytest.mark.usefixtures("unmanifested_static", "unlimited_slice")

KEYS = reverse("admin:referrals_intakekey_changelist")


def issue_key(browser: Client, account: Account) -> Any:
    form = {"account": account.pk, "name": "Website"}
    return browser.post(reverse("admin:referrals_intakekey_add"), form, follow=True)


def token_in(response: Any) -> str:
    found = re.findall(r"rk_[\w-]{43}", response.content.decode())
    assert len(set(found)) == 1
    return str(found[0])


def test_a_new_key_is_shown_once_and_is_accepted_by_the_api(
    admin_client: Client, client: Client, account: Account, campaign: Campaign
) -> None:
    token = token_in(issue_key(admin_client, account))

    key = IntakeKey.objects.get()
    change = reverse("admin:referrals_intakekey_change", args=[key.pk])
    for url in (KEYS, change):
        assert token not in admin_client.get(url).content.decode()
    assert (key.account, key.name, key.start) == (account, "Website", token[:8])
    assert IntakeClient(client, token).post({"external_id": "a", "attributes": {}})[0] == 202


def test_a_renamed_key_keeps_its_digest(admin_client: Client, account: Account) -> None:
    issue_key(admin_client, account)
    key = IntakeKey.objects.get()

    response = admin_client.post(
        reverse("admin:referrals_intakekey_change", args=[key.pk]),
        {"account": account.pk, "name": "Shop"},
        follow=True,
    )

    assert not re.search(r"rk_[\w-]{43}", response.content.decode())
    renamed = IntakeKey.objects.get()
    assert (renamed.name, renamed.digest) == ("Shop", key.digest)


def test_a_revoked_key_is_refused_by_the_api(
    admin_client: Client, client: Client, account: Account, campaign: Campaign
) -> None:
    token = token_in(issue_key(admin_client, account))
    key = IntakeKey.objects.get()
    revoke = {"action": "revoke_keys", "_selected_action": [key.pk]}

    page = admin_client.post(KEYS, revoke, follow=True).content.decode()

    assert "Keys revoked: 1." in page
    assert IntakeClient(client, token).post({"external_id": "a", "attributes": {}})[0] == 401
    first = IntakeKey.objects.get().revoked_at
    assert first is not None
    assert first <= timezone.now()
    assert "Keys revoked: 0." in admin_client.post(KEYS, revoke, follow=True).content.decode()
    assert IntakeKey.objects.get().revoked_at == first

"""Tests of what each user may do in the admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from connections.admin.history import WithHistory
from connections.admin.scoped import AccountScoped
from connections.models import (
    Account,
    Campaign,
    Connection,
    ConnectionTest,
    HistoryEntry,
    Link,
)
from connections.models.querysets import ScopedQuerySet
from referrals.models import Delivery
from tests.factories import AccountRows, make_account_rows
from tests.history import history
from tests.users import create_user, login_client

pytestmark = pytest.mark.usefixtures("unmanifested_static")


Action = Callable[[Client, AccountRows], Any]


def admin_url(name: str, *arguments: object) -> str:
    return reverse(f"admin:{name}", args=arguments)


def get(name: str, of: Callable[[AccountRows], object] | None = None) -> Action:
    return lambda browser, rows: browser.get(admin_url(name, *([of(rows)] if of else [])))


def post(name: str, of: Callable[[AccountRows], object], **fields: Any) -> Action:
    return lambda browser, rows: browser.post(
        admin_url(name, of(rows)), {"campaign": rows.campaign.pk, **fields}
    )


def run_delivery_action(name: str) -> Action:
    return lambda browser, rows: browser.post(
        admin_url("referrals_delivery_action", rows.delivery.pk, name)
    )


def download_raw_body(browser: Client, rows: AccountRows) -> Any:
    return browser.get(admin_url("referrals_deliveryattempt_raw", rows.attempt.pk, "response"))


CONNECTION: Callable[[AccountRows], object] = lambda rows: rows.connection.pk  # noqa: E731


ACTIONS: dict[str, tuple[Action, str]] = {
    # Superuser, Editor and Reporter, all in their own account.
    "read the log": (get("referrals_delivery_changelist"), "SER"),
    "read a delivery": (get("referrals_delivery_change", lambda rows: rows.delivery.pk), "SER"),
    "read a referral": (get("referrals_referral_change", lambda rows: rows.referral.pk), "SER"),
    "read a connection": (get("connections_connection_change", CONNECTION), "SER"),
    "read the Real-time Referral page": (get("real_time_referral"), "SER"),
    "read an account": (get("connections_account_change", lambda rows: rows.account.pk), "SER"),
    "read the list of keys": (get("referrals_intakekey_changelist"), "SE"),
    "replay": (run_delivery_action("replay"), "SE"),
    "re-read": (run_delivery_action("reread"), "SE"),
    "cancel": (run_delivery_action("cancel"), "SE"),
    "link": (post("link_campaigns", CONNECTION, confirmed=1), "SE"),
    "unlink": (post("unlink_campaigns", CONNECTION, waiting="deliver"), "SE"),
    "pause": (post("pause_connection", CONNECTION), "SE"),
    "release": (post("release_connection", CONNECTION), "SE"),
    "test": (post("connections_connection_test", CONNECTION), "SE"),
    "add a connection": (get("connections_connection_sources"), "SE"),
    "delete a connection": (get("connections_connection_delete", CONNECTION), "SE"),
    "add a campaign": (get("connections_campaign_add"), "SE"),
    "delete a campaign": (get("connections_campaign_delete", lambda rows: rows.campaign.pk), "S"),
    "download a raw body": (download_raw_body, "S"),
    "add an account": (get("connections_account_add"), "S"),
    "issue a key": (get("referrals_intakekey_add"), "S"),
    "revoke or delete a key": (get("referrals_intakekey_delete", lambda rows: rows.key.pk), "S"),
    "add a user": (get("auth_user_add"), "S"),
}


WRITTEN_BY_THE_PRODUCT = {"link history": "connections_link_add", "log": "referrals_delivery_add"}


@pytest.fixture
def rows(db: None) -> AccountRows:
    return make_account_rows("OWN")


@pytest.fixture
def users(rows: AccountRows, admin_user: User) -> dict[str, User]:
    """Return the users by their letter in the table; users without a letter may do nothing."""
    elsewhere = Account.objects.create(name="Elsewhere", slug="elsewhere")
    return {
        "S": admin_user,
        "E": create_user("Eda", rows.account, role="Editor"),
        "R": create_user("Rob", rows.account, role="Reporter"),
        "member without a role": create_user("Mel", rows.account),
        "Editor elsewhere": create_user("Stan", elsewhere, role="Editor"),
    }


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_is_allowed_for_the_users_in_the_table(
    name: str, rows: AccountRows, users: dict[str, User]
) -> None:
    action, letters = ACTIONS[name]
    statuses = {
        user_name: action(login_client(user), rows).status_code for user_name, user in users.items()
    }
    allowed = {user_name for user_name, status in statuses.items() if status in (200, 302)}
    # An Editor elsewhere may open pages without a row: they show nothing of this account.
    allowed -= {"Editor elsewhere"} if statuses["Editor elsewhere"] == 200 else set()
    assert allowed == set(letters)
    assert set(statuses.values()) <= {200, 302, 403, 404}


@pytest.mark.parametrize("name", WRITTEN_BY_THE_PRODUCT.values())
def test_rows_that_the_product_writes_cannot_be_added_by_hand(name: str, admin_user: User) -> None:
    assert login_client(admin_user).get(admin_url(name)).status_code == 403


def test_every_action_without_a_login_redirects_to_the_login(rows: AccountRows) -> None:
    for name, (action, _) in ACTIONS.items():
        response = action(Client(), rows)
        assert (name, response.status_code) == (name, 302)
        assert response.headers["Location"].startswith("/admin/login/?next=/admin/")


def test_a_refused_action_changes_nothing(rows: AccountRows, users: dict[str, User]) -> None:
    for name in ("R", "member without a role", "Editor elsewhere"):
        for action, _ in ACTIONS.values():
            action(login_client(users[name]), rows)
    assert Link.objects.active().get() == rows.link
    assert Connection.objects.get().state == "held"
    assert Delivery.objects.get().status == "unrecognised"
    assert ConnectionTest.objects.count() == 1
    assert not HistoryEntry.objects.exists()


def test_actions_are_recorded_in_the_history_with_the_user(
    rows: AccountRows, users: dict[str, User]
) -> None:
    browser = login_client(users["E"])
    for name in ("unlink", "link", "release", "pause", "replay"):
        ACTIONS[name][0](browser, rows)
    linking = [
        ("Eda", "admin", "Unlinked OWN campaign from OWN connection."),
        ("Eda", "admin", "Linked OWN campaign to OWN connection."),
    ]
    assert history(rows.campaign) == linking
    assert history(rows.connection) == [
        *linking, ("Eda", "admin", "Released."), ("Eda", "admin", "Paused."),
    ]  # fmt: skip
    assert history(rows.delivery) == [("Eda", "admin", "Replayed.")]


def test_every_model_admin_is_limited_to_the_accounts_of_the_user() -> None:
    for model, model_admin in admin.site._registry.items():
        if model._meta.app_label in ("connections", "referrals"):
            assert isinstance(model_admin, AccountScoped), model
            assert isinstance(model_admin, WithHistory), model
            assert isinstance(model._default_manager.all(), ScopedQuerySet), model


def test_choices_are_limited_to_the_accounts_of_the_user(
    rows: AccountRows, users: dict[str, User]
) -> None:
    make_account_rows("FOREIGN")
    browser = login_client(users["E"])
    for url in (
        admin_url("connections_campaign_add"),
        admin_url("connections_campaign_changelist"),
        admin_url("connections_link_changelist"),
        admin_url("referrals_referral_changelist"),
        admin_url("referrals_delivery_changelist"),
        admin_url("connections_connection_changelist"),
        admin_url("autocomplete")
        + "?app_label=connections&model_name=campaign&field_name=account&term=account",
    ):
        content = browser.get(url).content.decode()
        assert "FOREIGN" not in content
    assert "OWN account" in content


def test_a_foreign_account_is_refused_as_a_choice(
    rows: AccountRows, users: dict[str, User]
) -> None:
    foreign = make_account_rows("FOREIGN")
    fields = {"account": foreign.account.pk, "name": "Mine", "kind": "lead_generation"}
    response = login_client(users["E"]).post(
        admin_url("connections_campaign_add"), {**fields, "status": "live"}
    )
    assert "Select a valid choice" in response.content.decode()
    assert not Campaign.objects.filter(name="Mine").exists()


def test_the_account_of_a_row_cannot_be_changed(rows: AccountRows, users: dict[str, User]) -> None:
    other = Account.objects.create(name="Another of mine", slug="mine")
    other.members.add(users["E"])
    fields = {"account": other.pk, "name": "Renamed", "kind": "lead_generation", "status": "live"}
    login_client(users["E"]).post(
        admin_url("connections_campaign_change", rows.campaign.pk), fields
    )
    rows.campaign.refresh_from_db()
    assert (rows.campaign.name, rows.campaign.account) == ("Renamed", rows.account)


def test_the_only_account_of_a_user_is_preselected(
    rows: AccountRows, users: dict[str, User]
) -> None:
    page = login_client(users["E"]).get(admin_url("connections_campaign_add")).content.decode()
    assert f'<option value="{rows.account.pk}" selected>OWN account</option>' in page


def test_a_filter_by_a_foreign_value_finds_nothing(
    rows: AccountRows, users: dict[str, User]
) -> None:
    foreign = make_account_rows("FOREIGN")
    browser = login_client(users["E"])
    for query in (f"connection={foreign.connection.pk}", f"account={foreign.account.pk}"):
        response: Any = browser.get(f"{admin_url('referrals_delivery_changelist')}?{query}")
        assert list(response.context["cl"].result_list) == []


@pytest.mark.parametrize(
    "query",
    [
        "email__startswith=z",
        "email=zaphod.beeblebrox@heart-of-gold.example",
        "attributes__first_name=Zaphod",
        "attributes__contains=Zaphod",
        "campaign__referrals__email__startswith=z",
        "deliveries__attempts__response_body__contains=z",
    ],
)
def test_personal_data_cannot_be_guessed_by_filters(
    query: str, rows: AccountRows, users: dict[str, User]
) -> None:
    url = admin_url("referrals_referral_changelist")
    for letter in ("R", "E", "S"):
        assert login_client(users[letter]).get(f"{url}?{query}").status_code == 400


def test_a_list_can_be_filtered_by_its_own_filters(
    rows: AccountRows, users: dict[str, User]
) -> None:
    url = admin_url("referrals_referral_changelist")
    browser = login_client(users["R"])
    for campaign, count in ((rows.campaign, 1), (rows.unlinked, 0)):
        response: Any = browser.get(f"{url}?campaign__id__exact={campaign.pk}")
        assert len(response.context["cl"].result_list) == count


def test_a_bulk_action_changes_no_foreign_row(rows: AccountRows, users: dict[str, User]) -> None:
    foreign = make_account_rows("FOREIGN")
    chosen = {"action": "replay", "_selected_action": foreign.delivery.pk, "confirmed": 1}
    login_client(users["E"]).post(admin_url("referrals_delivery_changelist"), chosen)
    across = {**chosen, "select_across": 1}
    login_client(users["E"]).post(admin_url("referrals_delivery_changelist"), across)
    statuses = dict(Delivery.objects.values_list("connection__name", "status"))
    assert statuses == {"OWN connection": "pending", "FOREIGN connection": "unrecognised"}


def test_a_revoked_key_is_recorded_in_the_history(rows: AccountRows, admin_user: User) -> None:
    chosen = {"action": "revoke_keys", "_selected_action": rows.key.pk, "index": 0}
    login_client(admin_user).post(admin_url("referrals_intakekey_changelist"), chosen)
    assert history(rows.key) == [("admin", "admin", "Revoked.")]

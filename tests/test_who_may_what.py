"""Who may do what: one table of deeds and people, and the ways around it that do not exist."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from connections.admin.scoped import AccountScoped
from connections.models import Account, Campaign, Connection, ConnectionTest, Link
from connections.models.scoping import ScopedQuerySet
from referrals.models import Delivery
from tests.factories import World, make_world
from tests.users import create_user, login_client

pytestmark = pytest.mark.usefixtures("uncollected")

DeliveryAction = Callable[[Client, World], Any]


def address(name: str, *arguments: object) -> str:
    return reverse(f"admin:{name}", args=arguments)


def get(name: str, of: Callable[[World], object] | None = None) -> DeliveryAction:
    return lambda browser, world: browser.get(address(name, *([of(world)] if of else [])))


def press(name: str, of: Callable[[World], object], **fields: Any) -> DeliveryAction:
    return lambda browser, world: browser.post(
        address(name, of(world)), {"campaign": world.campaign.pk, **fields}
    )


def do(name: str) -> DeliveryAction:
    return lambda browser, world: browser.post(
        address("referrals_delivery_do", world.delivery.pk, name)
    )


def raw(browser: Client, world: World) -> Any:
    return browser.get(address("referrals_deliveryattempt_raw", world.attempt.pk, "response"))


CONNECTION: Callable[[World], object] = lambda world: world.connection.pk  # noqa: E731

DELIVERY_ACTIONS: dict[str, tuple[DeliveryAction, str]] = {
    # What is done, and who may: Superuser, Editor, Reporter; all of them in their own account.
    "read the log": (get("referrals_delivery_changelist"), "SER"),
    "read a delivery": (get("referrals_delivery_change", lambda w: w.delivery.pk), "SER"),
    "read a referral": (get("referrals_referral_change", lambda w: w.referral.pk), "SER"),
    "read a connection": (get("connections_connection_change", CONNECTION), "SER"),
    "read the Real-time Referral page": (get("real_time_referral"), "SER"),
    "read an account": (get("connections_account_change", lambda w: w.account.pk), "SER"),
    "see which keys there are": (get("referrals_intakekey_changelist"), "SE"),
    "replay": (do("replay"), "SE"),
    "re-read": (do("reread"), "SE"),
    "cancel": (do("cancel"), "SE"),
    "link": (press("link_campaigns", CONNECTION, confirmed=1), "SE"),
    "unlink": (press("unlink_campaigns", CONNECTION, waiting="deliver"), "SE"),
    "pause": (press("pause_connection", CONNECTION), "SE"),
    "release": (press("release_connection", CONNECTION), "SE"),
    "test": (press("connections_connection_test", CONNECTION), "SE"),
    "add a connection": (get("connections_connection_doors"), "SE"),
    "delete a connection": (get("connections_connection_delete", CONNECTION), "SE"),
    "add a campaign": (get("connections_campaign_add"), "SE"),
    "delete a campaign": (get("connections_campaign_delete", lambda w: w.campaign.pk), "S"),
    "download a raw body": (raw, "S"),
    "add an account": (get("connections_account_add"), "S"),
    "issue a key": (get("referrals_intakekey_add"), "S"),
    "revoke or delete a key": (get("referrals_intakekey_delete", lambda w: w.key.pk), "S"),
    "make users": (get("auth_user_add"), "S"),
}

NO_ONES = {"link history": "connections_link_add", "log": "referrals_delivery_add"}


@pytest.fixture
def world(db: None) -> World:
    return make_world("OWN")


@pytest.fixture
def people(world: World, admin_user: User) -> dict[str, User]:
    """By the letter that the table has for them; without a letter, nobody may anything."""
    elsewhere = Account.objects.create(name="Elsewhere", slug="elsewhere")
    return {
        "S": admin_user,
        "E": create_user("Eda", world.account, role="Editor"),
        "R": create_user("Rob", world.account, role="Reporter"),
        "member without a role": create_user("Mel", world.account),
        "Editor elsewhere": create_user("Stan", elsewhere, role="Editor"),
    }


@pytest.mark.parametrize("delivery_action", DELIVERY_ACTIONS)
def test_who_may_do_what(delivery_action: str, world: World, people: dict[str, User]) -> None:
    act, letters = DELIVERY_ACTIONS[delivery_action]
    answers = {name: act(login_client(user), world).status_code for name, user in people.items()}
    allowed = {name for name, status in answers.items() if status in (200, 302)}
    # Elsewhere, an Editor may open pages that are of no row: they show nothing of this account.
    allowed -= {"Editor elsewhere"} if answers["Editor elsewhere"] == 200 else set()
    assert allowed == set(letters)
    assert set(answers.values()) <= {200, 302, 403, 404}


@pytest.mark.parametrize("name", NO_ONES.values())
def test_what_is_only_written_by_what_happens_nobody_writes(name: str, admin_user: User) -> None:
    assert login_client(admin_user).get(address(name)).status_code == 403


def test_without_logging_in_everything_leads_to_the_login(world: World) -> None:
    for delivery_action, (act, _) in DELIVERY_ACTIONS.items():
        answer = act(Client(), world)
        assert (delivery_action, answer.status_code) == (delivery_action, 302)
        assert answer.headers["Location"].startswith("/admin/login/?next=/admin/")


def test_what_was_refused_did_not_happen(world: World, people: dict[str, User]) -> None:
    for name in ("R", "member without a role", "Editor elsewhere"):
        for act, _ in DELIVERY_ACTIONS.values():
            act(login_client(people[name]), world)
    assert Link.objects.active().get() == world.link
    assert Connection.objects.get().state == "held"
    assert Delivery.objects.get().status == "unrecognised"
    assert ConnectionTest.objects.count() == 1
    assert LogEntry.objects.count() == 0


def test_deeds_are_in_the_log_with_the_person(world: World, people: dict[str, User]) -> None:
    browser = login_client(people["E"])
    for delivery_action in ("unlink", "link", "release", "pause", "replay"):
        DELIVERY_ACTIONS[delivery_action][0](browser, world)
    entries = LogEntry.objects.filter(user=people["E"]).order_by("pk")
    assert list(entries.values_list("object_repr", "change_message")) == [
        ("OWN campaign", "Unlinked OWN campaign from OWN connection."),
        ("OWN connection", "Unlinked OWN campaign from OWN connection."),
        ("OWN campaign", "Linked OWN campaign to OWN connection."),
        ("OWN connection", "Linked OWN campaign to OWN connection."),
        ("OWN connection", "Released."),
        ("OWN connection", "Paused."),
        ("OWN said → OWN connection", "Replayed."),
    ]


def test_every_admin_of_ours_keeps_to_the_accounts() -> None:
    for model, model_admin in admin.site._registry.items():
        if model._meta.app_label in ("connections", "referrals"):
            assert isinstance(model_admin, AccountScoped), model
            assert isinstance(model._default_manager.all(), ScopedQuerySet), model


def test_choices_are_those_of_the_own_accounts(world: World, people: dict[str, User]) -> None:
    make_world("FOREIGN")
    browser = login_client(people["E"])
    for page in (
        address("connections_campaign_add"),
        address("connections_campaign_changelist"),
        address("connections_link_changelist"),
        address("referrals_referral_changelist"),
        address("referrals_delivery_changelist"),
        address("connections_connection_changelist"),
        address("autocomplete")
        + "?app_label=connections&model_name=campaign&field_name=account&term=account",
    ):
        content = browser.get(page).content.decode()
        assert "FOREIGN" not in content
    assert "OWN account" in content


def test_a_foreign_account_is_no_choice_even_when_typed(
    world: World, people: dict[str, User]
) -> None:
    foreign = make_world("FOREIGN")
    fields = {"account": foreign.account.pk, "name": "Mine", "kind": "lead_generation"}
    answer = login_client(people["E"]).post(
        address("connections_campaign_add"), {**fields, "status": "live"}
    )
    assert "Select a valid choice" in answer.content.decode()
    assert not Campaign.objects.filter(name="Mine").exists()


def test_what_belongs_to_an_account_stays_there(world: World, people: dict[str, User]) -> None:
    other = Account.objects.create(name="Another of mine", slug="mine")
    other.members.add(people["E"])
    fields = {"account": other.pk, "name": "Renamed", "kind": "lead_generation", "status": "live"}
    login_client(people["E"]).post(
        address("connections_campaign_change", world.campaign.pk), fields
    )
    world.campaign.refresh_from_db()
    assert (world.campaign.name, world.campaign.account) == ("Renamed", world.account)


def test_whoever_has_one_account_need_not_choose_it(world: World, people: dict[str, User]) -> None:
    page = login_client(people["E"]).get(address("connections_campaign_add")).content.decode()
    assert f'<option value="{world.account.pk}" selected>OWN account</option>' in page


def test_a_filter_by_a_foreign_value_finds_nothing(world: World, people: dict[str, User]) -> None:
    foreign = make_world("FOREIGN")
    browser = login_client(people["E"])
    for query in (f"connection={foreign.connection.pk}", f"account={foreign.account.pk}"):
        answer: Any = browser.get(f"{address('referrals_delivery_changelist')}?{query}")
        assert list(answer.context["cl"].result_list) == []


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
def test_nobody_is_guessed_letter_by_letter(
    query: str, world: World, people: dict[str, User]
) -> None:
    page = address("referrals_referral_changelist")
    for who in ("R", "E", "S"):
        assert login_client(people[who]).get(f"{page}?{query}").status_code == 400


def test_a_list_is_still_filtered_by_what_it_offers(world: World, people: dict[str, User]) -> None:
    page = address("referrals_referral_changelist")
    browser = login_client(people["R"])
    for campaign, count in ((world.campaign, 1), (world.unlinked, 0)):
        answer: Any = browser.get(f"{page}?campaign__id__exact={campaign.pk}")
        assert len(answer.context["cl"].result_list) == count


def test_actions_touch_no_foreign_row(world: World, people: dict[str, User]) -> None:
    foreign = make_world("FOREIGN")
    chosen = {"action": "replay", "_selected_action": foreign.delivery.pk, "confirmed": 1}
    login_client(people["E"]).post(address("referrals_delivery_changelist"), chosen)
    across = {**chosen, "select_across": 1}
    login_client(people["E"]).post(address("referrals_delivery_changelist"), across)
    statuses = dict(Delivery.objects.values_list("connection__name", "status"))
    assert statuses == {"OWN connection": "pending", "FOREIGN connection": "unrecognised"}


def test_a_revoked_key_is_in_the_log(world: World, admin_user: User) -> None:
    chosen = {"action": "revoke_keys", "_selected_action": world.key.pk, "index": 0}
    login_client(admin_user).post(address("referrals_intakekey_changelist"), chosen)
    entry = LogEntry.objects.get()
    assert (entry.object_repr, entry.change_message) == (str(world.key), "Revoked.")


def test_the_groups_hold_what_the_migration_says_and_no_customer_data(db: None) -> None:
    roles = import_module("connections.migrations.0002_roles")
    roles.make_roles(apps, None)
    for name, rights in (("Editor", roles.EDITOR), ("Reporter", roles.REPORTER)):
        expected = {
            f"{app}.{action}_{model}"
            for app, models in rights.items()
            for model, actions in models.items()
            for action in actions
        }
        group = Group.objects.get(name=name)
        found = group.permissions.values_list("content_type__app_label", "codename")
        assert {f"{app}.{codename}" for app, codename in found} == expected
    assert not Permission.objects.filter(codename="view_customer_data", group__isnull=False)


def test_roles_are_made_once_and_named_as_django_names_them(db: None) -> None:
    roles = import_module("connections.migrations.0002_roles")
    before = Permission.objects.count()
    roles.make_roles(apps, None)
    assert Permission.objects.count() == before
    assert Permission.objects.get(codename="add_connectiontest").name == "Can add connection test"


def test_forgotten_roles_are_gone(db: None) -> None:
    roles = import_module("connections.migrations.0002_roles")
    roles.make_roles(apps, None)
    roles.forget_roles(apps, None)
    assert not Group.objects.exists()

"""Tests of the options that select deliveries for `replay` and `reread`."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from connections.models import Account, Campaign, Connection
from connections.operations.links import link_campaign
from connections.simulator import CRM
from referrals.models import Delivery
from tests.referrals.factories import (
    create_referrals,
    deliver,
)
from tests.referrals.management.helpers import run_command
from tests.users import SOMEBODY

pytestmark = pytest.mark.usefixtures("untouched_signals")


def day(days: int) -> str:
    return (timezone.now() + timedelta(days=days)).date().isoformat()


def test_a_dry_run_changes_nothing(delivered: None, crm: CRM) -> None:
    before = list(Delivery.objects.order_by("pk").values())
    code, output = run_command("replay", "--account", "acme", "--dry-run")
    assert (code, output) == (0, ["3 deliveries would be attempted again."])
    assert run_command("reread", "--account", "acme", "--dry-run") == (
        0,
        ["3 answers would be read again."],
    )
    assert list(Delivery.objects.order_by("pk").values()) == before
    assert crm.received() == []


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["--account", "acme"], 4),
        (["--campaign", "cmp_news"], 3),
        (["--outcome", "delivered"], 2),
        (["--outcome", "delivered", "--outcome", "rejected"], 3),
        (["--status-code", "200"], 3),
        (["--status-code", "503"], 0),
        (["--since", day(-1)], 4),
        (["--since", day(1)], 0),
        (["--until", day(1)], 4),
        (["--until", f"{day(-1)}T12:30"], 0),
        (["--account", "acme", "--outcome", "rejected", "--status-code", "400"], 1),
        (["--account", "other"], 0),
    ],
)
def test_a_delivery_is_selected_only_if_all_options_match(
    delivered: None, account: Account, connection: Connection, arguments: list[str], count: int
) -> None:
    Account.objects.create(name="Other", slug="other")
    second = Campaign.objects.create(account=account, name="Second", kind="lead_generation")
    link_campaign(second, connection=connection, by=SOMEBODY)
    create_referrals(second, "no@mail")
    deliver()
    _, output = run_command("replay", *arguments, "--dry-run")
    assert output == [f"{count} deliveries would be attempted again."]
    _, output = run_command("replay", *arguments, "--connection", str(connection.pk), "--dry-run")
    assert output == [f"{count} deliveries would be attempted again."]


def test_a_delivery_with_several_matching_responses_is_selected_once(delivered: None) -> None:
    run_command("replay", "--account", "acme")
    _, output = run_command("replay", "--status-code", "200", "--dry-run")
    assert output == ["3 deliveries would be attempted again."]


@pytest.mark.parametrize("name", ["replay", "reread"])
@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--account", "nobody"],
        ["--campaign", "cmp_none"],
        ["--connection", "0"],
        ["--connection", "999999999"],
        ["--connection", "abc"],
        ["--outcome", "lost"],
        ["--status-code", "ok"],
        ["--since", "yesterday"],
        ["--until", "2026-13-01"],
        ["--account", "acme", "--unknown-option"],
    ],
)
def test_wrong_arguments_exit_2(delivered: None, name: str, arguments: list[str]) -> None:
    before = list(Delivery.objects.order_by("pk").values())
    assert run_command(name, *arguments)[0] == 2
    assert list(Delivery.objects.order_by("pk").values()) == before


def test_an_unknown_account_is_refused_with_a_list_of_the_known_ones(delivered: None) -> None:
    _, [output] = run_command("replay", "--account", "acne")
    assert output == 'There is no account "acne". There are: acme.'

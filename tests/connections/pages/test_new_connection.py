"""Tests of the pages that create a connection."""

from __future__ import annotations

from html import unescape

import pytest
from django.test import Client

from connections.importers.presets import presets
from connections.models import Account, Connection
from connections.operations.connection_tests import send_test
from connections.simulator import CRM
from tests.connections.pages.helpers import change_url, page_url, read_form
from tests.users import create_user, login_client

pytestmark = pytest.mark.usefixtures("unmanifested_static")

COMMAND = """curl -X POST {crm}/3.0/lists/testing/members -u referrals:{key} \\
  -d '{{"email_address": "jo@example.com", "status": "subscribed",
       "merge_fields": {{"FNAME": "Jo"}}}}'"""


def test_the_add_page_links_to_the_ways_to_create_a_connection(browser: Client) -> None:
    html = browser.get(page_url("add")).content.decode()
    assert "Referrals" in html
    assert page_url("sources") in html


def test_every_preset_is_listed_with_its_documentation(browser: Client) -> None:
    html = unescape(browser.get(page_url("sources")).content.decode())
    assert len(presets()) == 13
    for preset in presets().values():
        assert page_url("preset", preset.slug) in html
        assert preset.spec.documentation in html


@pytest.mark.parametrize("slug", presets())
def test_every_preset_creates_a_connection_with_its_rules_and_responses(
    slug: str, browser: Client, account: Account
) -> None:
    url = page_url("preset", slug)
    spec = presets()[slug].spec
    form = {
        "account": account.pk, "name": "Mine",
        **{f"endpoint_{name}": address for name, address in spec.endpoints.items()},
        **{f"credential_{name}": "hush" for name in spec.credentials},
        **{
            f"setting_{setting.name}": getattr(spec.authorization, setting.name)
            for setting in spec.authorization.settings()
        },
    }  # fmt: skip
    response = browser.post(url, form)
    connection = Connection.objects.get()
    assert response.headers["Location"] == change_url(connection)
    assert connection.response_rules.count() == len(spec.response_handling.rules)
    assert connection.expected_responses.count() == len(spec.expected_responses)


def test_a_connection_from_a_preset_can_be_tested_at_once(
    browser: Client, account: Account, crm: CRM
) -> None:
    response = browser.post(
        page_url("preset", "mailchimp_add_member"),
        {
            "account": account.pk, "name": "Newsletter", "setting_username": "referrals",
            "endpoint_production": "https://us9.api.mailchimp.com/3.0/lists/abc/members",
            "endpoint_testing": f"{crm.url}/3.0/lists/testing/members",
            "setting_password": crm.key,
        },
    )  # fmt: skip
    assert response.status_code == 302
    assert send_test(Connection.objects.get()).outcome == "delivered"


def test_an_invalid_endpoint_is_an_error_at_its_field(browser: Client, account: Account) -> None:
    response = browser.post(
        page_url("preset", "sendy_subscribe"),
        {
            "account": account.pk,
            "name": "S",
            "endpoint_production": "crm",
            "credential_api_key": "k",
        },
    )
    assert "Must be a whole URL" in str(response.context["form"].errors["endpoint_production"])
    assert not Connection.objects.exists()


def test_a_taken_name_is_refused_and_keeps_the_connection(
    browser: Client, connection: Connection
) -> None:
    response = browser.post(
        page_url("preset", "mailchimp_add_member"),
        {
            "account": connection.account_id,
            "name": connection.name,
            "endpoint_production": "https://a.b",
        },
    )
    assert response.context["form"].errors["name"] == [
        "Acme has a connection of this name already."
    ]
    assert Connection.objects.get().changed_at == connection.changed_at


def test_an_unknown_preset_is_not_found(browser: Client) -> None:
    assert browser.get(page_url("preset", "nobody")).status_code == 404


def review_command(browser: Client, account: Account, command: str) -> dict[str, list[str]]:
    """Paste the command; return the form of the review as a browser would send it."""
    page = browser.post(page_url("curl"), {"account": account.pk, "command": command, "read": "1"})
    html = page.content.decode().replace('<form method="post" class', '<form id="review" class')
    return read_form(html, "review") | {"create": ["1"]}


def test_a_command_is_shown_as_it_was_parsed(browser: Client, account: Account, crm: CRM) -> None:
    page = browser.post(
        page_url("curl"),
        {"account": account.pk, "command": COMMAND.format(crm=crm.url, key="s3cr3t-key")},
    )
    assert dict(page.context["recognised"]) == {
        "Method": "POST", "Endpoint": f"{crm.url}/3.0/lists/testing/members",
        "Authorization": "User name and password", "Body": "json",
    }  # fmt: skip
    assert page.content.decode().count("s3cr3t-key") == 1  # Only in what the person pasted.


def test_a_reviewed_command_becomes_a_connection_that_can_be_tested(
    browser: Client, account: Account, crm: CRM
) -> None:
    form = review_command(browser, account, COMMAND.format(crm=crm.url, key=crm.key))
    form |= {"name": ["From curl"], "environment": ["testing"]}
    response = browser.post(page_url("curl"), form)
    connection = Connection.objects.get()
    assert response.headers["Location"] == change_url(connection)
    assert connection.required_attributes == ["email"]
    assert connection.sample_attributes == {"email": "jo@example.com", "first_name": "Jo"}
    test = send_test(connection)
    assert test.outcome == "delivered"
    assert [request.email for request in crm.received()] == ["jo@example.com"]


def test_a_value_that_is_not_replaced_by_a_placeholder_is_kept(
    browser: Client, account: Account, crm: CRM
) -> None:
    form = review_command(browser, account, COMMAND.format(crm=crm.url, key=crm.key))
    names = [name for name, values in form.items() if values == ["{{ first_name }}"]]
    browser.post(page_url("curl"), form | {"name": ["Mine"], names[0]: [""]})
    assert '"FNAME": "Jo"' in Connection.objects.get().document


def test_a_missing_credential_is_required(browser: Client, account: Account) -> None:
    command = "curl https://crm.example -d email=jo@example.com -d api_key=YOUR_API_KEY"
    form = review_command(browser, account, command)
    assert form["credential_api_key"] == [""]
    response = browser.post(page_url("curl"), form)
    assert response.context["review"].errors["credential_api_key"] == ["This field is required."]
    browser.post(page_url("curl"), form | {"credential_api_key": ["hush"]})
    assert Connection.objects.get().secrets == {"credentials.api_key": "hush"}


def test_an_unknown_option_is_an_error_at_the_command(browser: Client, account: Account) -> None:
    page = browser.post(
        page_url("curl"), {"account": account.pk, "command": "curl https://a.b --frobnicate"}
    )
    assert page.context["form"].errors["command"] == [
        "--frobnicate: This option is not known here; leave it out."
    ]


def test_choices_made_for_another_command_are_refused(
    browser: Client, account: Account, crm: CRM
) -> None:
    form = review_command(browser, account, COMMAND.format(crm=crm.url, key=crm.key))
    response = browser.post(
        page_url("curl"), form | {"command": ["curl https://crm.example -d email=jo@example.com"]}
    )
    assert "The command has changed since" in str(response.context["review"].errors["reviewed"])
    assert not Connection.objects.exists()


def test_an_unknown_placeholder_in_a_command_is_refused(browser: Client, account: Account) -> None:
    form = review_command(browser, account, "curl https://crm.example -d 'email={{emial}}' -d a=b")
    response = browser.post(page_url("curl"), form)
    assert response.context["review"].errors["__all__"] == [
        'There is no attribute "emial". Did you mean "email"?'
    ]


def test_a_foreign_account_is_not_offered(browser: Client, account: Account) -> None:
    other = Account.objects.create(name="Other", slug="other")
    assert "Other" not in browser.get(page_url("sources")).content.decode()
    response = browser.post(
        page_url("preset", "mailchimp_add_member"),
        {"account": other.pk, "name": "Mine", "endpoint_production": "https://a.b"},
    )
    assert "account" in response.context["form"].errors


@pytest.mark.parametrize("name", ["add", "sources", "curl"])
def test_reporters_may_not_create_connections(name: str, account: Account) -> None:
    browser = login_client(create_user("Rob", account, role="Reporter"))
    assert browser.get(page_url(name)).status_code == 403

"""The doors to a new connection: from a preset, from a pasted command, or empty."""

from __future__ import annotations

from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client

from connections.importers.presets import presets
from connections.models import Account, Connection
from connections.operations.connection_tests import run_test
from connections.simulator import CRM
from tests.connections.pages.helpers import change_url, page_url, read_form
from tests.users import create_user, login_client

pytestmark = pytest.mark.usefixtures("uncollected")

COMMAND = """curl -X POST {crm}/3.0/lists/testing/members -u referrals:{key} \\
  -d '{{"email_address": "jo@example.com", "status": "subscribed",
       "merge_fields": {{"FNAME": "Jo"}}}}'"""


@pytest.fixture
def editor(account: Account) -> User:
    return create_user("Eda", account, role="Editor")


@pytest.fixture
def browser(editor: User) -> Client:
    return login_client(editor)


def test_adding_begins_with_what_can_be_added(browser: Client) -> None:
    html = browser.get(page_url("add")).content.decode()
    assert "Referrals" in html
    assert page_url("doors") in html


def test_all_presets_are_offered_with_their_documentation(browser: Client) -> None:
    html = unescape(browser.get(page_url("doors")).content.decode())
    assert len(presets()) == 13
    for preset in presets().values():
        assert page_url("preset", preset.slug) in html
        assert preset.spec.documentation in html


@pytest.mark.parametrize("slug", presets())
def test_every_preset_makes_a_connection_that_misses_nothing_but_credentials(
    slug: str, browser: Client, account: Account
) -> None:
    url = page_url("preset", slug)
    spec = presets()[slug].spec
    form = {
        "account": account.pk, "name": "Mine",
        **{f"endpoint_{name}": address for name, address in spec.endpoints.items()},
        **{f"credential_{name}": "hush" for name in spec.credentials},
        **{
            f"setting_{one.name}": getattr(spec.authorization, one.name)
            for one in spec.authorization.settings()
        },
    }  # fmt: skip
    response = browser.post(url, form)
    connection = Connection.objects.get()
    assert response.headers["Location"] == change_url(connection)
    assert connection.response_rules.count() == len(spec.reading.rules)
    assert connection.expected_responses.count() == len(spec.expected_responses)


def test_a_preset_with_credentials_can_be_tested_at_once(
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
    assert run_test(Connection.objects.get()).outcome == "delivered"


def test_a_wrong_endpoint_is_told_at_its_field(browser: Client, account: Account) -> None:
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


def test_a_name_that_is_taken_never_replaces_the_connection(
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


def read(browser: Client, account: Account, command: str) -> dict[str, list[str]]:
    """The review of a command, as the browser would send it back."""
    page = browser.post(page_url("curl"), {"account": account.pk, "command": command, "read": "1"})
    html = page.content.decode().replace('<form method="post" class', '<form id="review" class')
    return read_form(html, "review") | {"create": ["1"]}


def test_a_command_is_shown_as_it_was_understood(
    browser: Client, account: Account, crm: CRM
) -> None:
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
    form = read(browser, account, COMMAND.format(crm=crm.url, key=crm.key))
    form |= {"name": ["From curl"], "environment": ["testing"]}
    response = browser.post(page_url("curl"), form)
    connection = Connection.objects.get()
    assert response.headers["Location"] == change_url(connection)
    assert connection.required_attributes == ["email"]
    assert connection.sample_attributes == {"email": "jo@example.com", "first_name": "Jo"}
    test = run_test(connection)
    assert test.outcome == "delivered"
    assert [one.email for one in crm.received()] == ["jo@example.com"]


def test_a_value_that_is_kept_stays_as_it_is(browser: Client, account: Account, crm: CRM) -> None:
    form = read(browser, account, COMMAND.format(crm=crm.url, key=crm.key))
    names = [name for name, values in form.items() if values == ["{{ first_name }}"]]
    browser.post(page_url("curl"), form | {"name": ["Mine"], names[0]: [""]})
    assert '"FNAME": "Jo"' in Connection.objects.get().document


def test_a_missing_credential_is_asked_for(browser: Client, account: Account) -> None:
    command = "curl https://crm.example -d email=jo@example.com -d api_key=YOUR_API_KEY"
    form = read(browser, account, command)
    assert form["credential_api_key"] == [""]
    response = browser.post(page_url("curl"), form)
    assert response.context["review"].errors["credential_api_key"] == ["This field is required."]
    browser.post(page_url("curl"), form | {"credential_api_key": ["hush"]})
    assert Connection.objects.get().secrets == {"credentials.api_key": "hush"}


def test_what_is_not_understood_is_told(browser: Client, account: Account) -> None:
    page = browser.post(
        page_url("curl"), {"account": account.pk, "command": "curl https://a.b --frobnicate"}
    )
    assert page.context["form"].errors["command"] == [
        "--frobnicate: This option is not known here; leave it out."
    ]


def test_choices_made_for_another_command_are_refused(
    browser: Client, account: Account, crm: CRM
) -> None:
    form = read(browser, account, COMMAND.format(crm=crm.url, key=crm.key))
    response = browser.post(
        page_url("curl"), form | {"command": ["curl https://crm.example -d email=jo@example.com"]}
    )
    assert "The command has changed since" in str(response.context["review"].errors["reviewed"])
    assert not Connection.objects.exists()


def test_a_placeholder_of_another_tool_is_refused_when_saving(
    browser: Client, account: Account
) -> None:
    form = read(browser, account, "curl https://crm.example -d 'email={{emial}}' -d a=b")
    response = browser.post(page_url("curl"), form)
    assert response.context["review"].errors["__all__"] == [
        'There is no attribute "emial". Did you mean "email"?'
    ]


def test_accounts_of_others_are_not_offered(browser: Client, account: Account) -> None:
    other = Account.objects.create(name="Other", slug="other")
    assert "Other" not in browser.get(page_url("doors")).content.decode()
    response = browser.post(
        page_url("preset", "mailchimp_add_member"),
        {"account": other.pk, "name": "Mine", "endpoint_production": "https://a.b"},
    )
    assert "account" in response.context["form"].errors


@pytest.mark.parametrize("name", ["add", "doors", "curl"])
def test_reporters_open_no_door(name: str, account: Account) -> None:
    browser = login_client(create_user("Rob", account, role="Reporter"))
    assert browser.get(page_url(name)).status_code == 403

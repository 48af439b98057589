"""Tests of `manage.py demo`."""

from __future__ import annotations

import json
import shlex
import stat
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from connections.core.connection_check import check_connection
from connections.mapping.to_spec import build_spec
from connections.models import Campaign, Connection, Endpoint, Link
from connections.operations.connection_tests import send_test
from connections.operations.links import unlink_campaign
from connections.simulator import CRM
from referrals.demo import create_demo
from referrals.models import Delivery
from tests.history import history
from tests.referrals.factories import IntakeClient, deliver
from tests.users import SOMEBODY

pytestmark = pytest.mark.usefixtures("unlimited_slice")


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any, tmp_path: Path) -> None:
    """Use a folder of its own for each demo, and a quick password hasher."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.VAR_DIR = tmp_path


def demo(crm: CRM, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    call_command("demo", "--crm", crm.url, *arguments)
    return capsys.readouterr().out


def rows() -> dict[str, list[dict[str, Any]]]:
    models: list[Any] = [*apps.get_app_config("connections").get_models(), User]
    models += apps.get_app_config("referrals").get_models()
    return {
        model.__name__: list(model._default_manager.order_by("pk").values()) for model in models
    }


def test_the_demo_makes_an_account_with_everything(
    crm: CRM, capsys: pytest.CaptureFixture[str]
) -> None:
    values = json.loads(demo(crm, capsys, "--json"))

    assert list(values) == [
        "account", "campaign_key", "form_campaign_key", "intake_key", "login", "password", "crm",
    ]  # fmt: skip
    assert (values["account"], values["login"], values["crm"]) == ("demo", "demo", crm.url)
    assert sorted(Campaign.objects.values_list("kind", flat=True)) == [
        "email_subscription",
        "lead_generation",
        "website_traffic",
    ]
    linked = Link.objects.active().order_by("pk").values_list("campaign__key", "connection__name")
    assert list(linked) == [
        (values["campaign_key"], "Demo CRM (JSON)"),
        (values["form_campaign_key"], "Demo CRM (URL encoded)"),
    ]
    login = User.objects.get()
    assert login.is_superuser
    assert login.check_password(values["password"])
    assert list(login.accounts.values_list("slug", flat=True)) == ["demo"]


def test_a_second_run_changes_nothing_and_prints_the_same(
    crm: CRM, capsys: pytest.CaptureFixture[str]
) -> None:
    first, before = demo(crm, capsys, "--json"), rows()

    assert demo(crm, capsys, "--json") == first
    assert rows() == before


def test_a_second_run_keeps_what_a_person_has_changed(
    crm: CRM, capsys: pytest.CaptureFixture[str]
) -> None:
    demo(crm, capsys)
    link = Link.objects.earliest("pk")
    unlink_campaign(link.campaign, connection=link.connection, by=SOMEBODY)
    Endpoint.objects.update(url="https://crm.example/mine")
    User.objects.get().set_password("my own")
    before = rows()

    demo(crm, capsys)

    assert rows() == before


def test_the_curl_line_can_be_pasted(
    crm: CRM, capsys: pytest.CaptureFixture[str], client: Client, tmp_path: Path
) -> None:
    printed = demo(crm, capsys, "--port", "8123")

    line = printed[printed.index("curl ") :].replace("\\\n", "")
    _, _, url, *options = shlex.split(line)
    headers = dict(option.split(": ") for flag, option in pairwise(options) if flag == "-H")
    body = options[options.index("-d") + 1]
    assert url.startswith("http://127.0.0.1:8123/api/v1/campaigns/cmp_")
    response = client.post(
        url.removeprefix("http://127.0.0.1:8123"),
        body,
        content_type=headers["Content-Type"],
        headers={"Authorization": headers["Authorization"]},
    )
    assert response.status_code == 202
    assert deliver() == {"delivered": 1}
    assert [one.email for one in crm.received()] == ["jo@example.com"]
    password = (tmp_path / "demo_password").read_text()
    assert f"http://127.0.0.1:8123/admin/    login demo, password {password}\n" in printed
    assert f"{crm.url}/received" in printed


@pytest.mark.parametrize("campaign", ["campaign_key", "form_campaign_key"])
def test_each_connection_of_the_demo_delivers(
    crm: CRM, capsys: pytest.CaptureFixture[str], client: Client, campaign: str
) -> None:
    values = json.loads(demo(crm, capsys, "--json"))
    intake_client = IntakeClient(client, values["intake_key"])
    emails = ["jo@example.com", "exists@example.com", "jo"]

    status, _ = intake_client.post(
        [{"external_id": email, "attributes": {"email": email}} for email in emails],
        campaign=values[campaign],
    )

    assert status == 202
    assert deliver() == {"delivered": 1, "duplicate": 1, "rejected": 1}
    assert Delivery.objects.pending().count() == 0


def test_each_connection_of_the_demo_passes_its_check_and_its_test(
    crm: CRM, capsys: pytest.CaptureFixture[str]
) -> None:
    demo(crm, capsys)

    for connection in Connection.objects.with_everything():
        assert check_connection(build_spec(connection)).is_good
        assert send_test(connection).outcome in ("delivered", "duplicate")


@pytest.mark.parametrize(
    ("name", "member"), [("demo_intake_key", "intake_key"), ("demo_password", "password")]
)
def test_key_and_password_are_stored_readable_only_by_their_owner(
    crm: CRM, capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, member: str
) -> None:
    values = json.loads(demo(crm, capsys, "--json"))

    stored_file = tmp_path / name
    assert stored_file.read_text() == values[member]
    assert stat.S_IMODE(stored_file.stat().st_mode) == 0o600


def test_each_installation_has_a_password_of_its_own(
    crm: CRM, capsys: pytest.CaptureFixture[str], settings: Any, tmp_path: Path
) -> None:
    first = json.loads(demo(crm, capsys, "--json"))["password"]
    User.objects.all().delete()
    settings.VAR_DIR = tmp_path / "another"
    second = json.loads(demo(crm, capsys, "--json"))["password"]

    assert first != second
    assert min(len(first), len(second)) == 16
    assert User.objects.get().check_password(second)


def delete_password(password_file: Path) -> None:
    password_file.unlink()


def change_password(password_file: Path) -> None:
    login = User.objects.get()
    login.set_password("my own")
    login.save()


@pytest.mark.parametrize("lose", [delete_password, change_password])
def test_a_password_that_is_not_known_is_reported_and_kept(
    crm: CRM, capsys: pytest.CaptureFixture[str], tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    demo(crm, capsys)
    lose(tmp_path / "demo_password")
    before = rows()

    call_command("demo", "--crm", crm.url)
    printed = capsys.readouterr()
    call_command("demo", "--crm", crm.url, "--json")
    as_json = capsys.readouterr()

    assert "login demo, password not known\n" in printed.out
    assert json.loads(as_json.out)["password"] is None
    assert printed.err == as_json.err
    assert printed.err == (
        "The password of demo is not known: the login is older than the kept one, or somebody "
        "changed it. Set a new one with: manage.py changepassword demo\n"
    )
    assert rows() == before
    assert (tmp_path / "demo_password").exists() is (lose is change_password)


def test_the_demo_is_refused_if_there_are_other_users(crm: CRM, tmp_path: Path, db: None) -> None:
    User.objects.create_user("jo")
    before = rows()

    with pytest.raises(CommandError) as refusal:
        call_command("demo", "--crm", crm.url)

    assert str(refusal.value) == (
        "The demo makes a superuser, and this database has other users. "
        "Run it on a database of its own: set VAR_DIR, or DATABASE_URL."
    )
    assert rows() == before
    assert list(tmp_path.iterdir()) == []


def test_the_demo_is_refused_with_https(crm: CRM, tmp_path: Path, settings: Any, db: None) -> None:
    settings.HTTPS = True
    before = rows()

    with pytest.raises(CommandError) as refusal:
        call_command("demo", "--crm", crm.url)

    assert str(refusal.value) == (
        "The demo makes a superuser, and HTTPS is on: this installation is no trial. "
        "Run it with a VAR_DIR and DATABASE_URL of its own and without HTTPS."
    )
    assert rows() == before
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_without_a_crm_leaves_the_endpoints_where_they_are(
    crm: CRM, capsys: pytest.CaptureFixture[str]
) -> None:
    first, before = demo(crm, capsys, "--json"), rows()

    call_command("demo", "--json")

    assert capsys.readouterr().out == first
    assert rows() == before


def test_a_first_run_without_a_crm_takes_the_port_of_make_run(
    db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("demo", "--json")
    assert json.loads(capsys.readouterr().out)["crm"] == "http://127.0.0.1:9000"


def test_endpoints_follow_the_simulator_unless_a_person_changed_them(db: None) -> None:
    create_demo(crm_url="http://127.0.0.1:9000", by=SOMEBODY)
    changed = Endpoint.objects.get(connection__name="Demo CRM (JSON)", environment="testing")
    Endpoint.objects.filter(pk=changed.pk).update(url="https://crm.example/mine")

    create_demo(crm_url="http://127.0.0.1:9001", by=SOMEBODY)

    rows = Endpoint.objects.filter(connection__name="Demo CRM (JSON)")
    assert dict(rows.values_list("environment", "url")) == {
        "production": "http://127.0.0.1:9001/3.0/lists/production/members",
        "testing": "https://crm.example/mine",
    }


@pytest.mark.parametrize(("port", "is_changed"), [(9000, False), (9001, True)])
def test_an_endpoint_that_moves_makes_earlier_tests_count_no_more(
    port: int, is_changed: bool, db: None
) -> None:
    create_demo(crm_url="http://127.0.0.1:9000", by=SOMEBODY)
    before = list(Connection.objects.order_by("pk").values_list("changed_at", flat=True))

    create_demo(crm_url=f"http://127.0.0.1:{port}", by=SOMEBODY)

    after = Connection.objects.order_by("pk").values_list("changed_at", flat=True)
    assert [old < new for old, new in zip(before, after, strict=True)] == [is_changed] * 2
    messages = [message for _, _, message in history(Connection.objects.earliest("pk"))]
    assert ("Endpoints moved to the demo's CRM simulator." in messages) is is_changed

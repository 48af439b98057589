"""Tests of an attempt's exchange on the delivery's page: its bytes, and what is hidden."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from connections.models import Account, Campaign, Connection, Endpoint, Link
from referrals.models import Delivery, DeliveryAttempt
from tests.referrals.admin.helpers import PERSON, get_html, page_url, text_content
from tests.referrals.factories import create_referrals, deliver
from tests.users import create_user, login_client

pytestmark = pytest.mark.usefixtures("unmanifested_static", "unlimited_slice")


def test_the_page_shows_the_curl_command_and_the_exact_bytes(
    browser: Client, delivery: Delivery
) -> None:
    request = delivery.attempts.get().request()
    html = text_content(get_html(browser, page_url(delivery, "change/")))
    assert f"As a curl command curl --request POST {request.url} \\" in html
    assert "--header 'Authorization: Basic ••••' \\" in html
    assert f"--data-raw '{request.body.decode()}'" in html
    assert html.count(request.body.decode()) == 2
    response = delivery.attempts.get().response()
    assert response
    assert f"Exact bytes of the body ({len(response.body)}) {response.text()}" in html


def test_a_latin_1_body_is_decoded_and_a_binary_body_is_shown_in_hexadecimal(
    browser: Client, delivery: Delivery
) -> None:
    DeliveryAttempt.objects.update(
        request_body=b"\x00\xff\xfe",
        response_body="Grüße".encode("latin-1"),
        response_headers='[["Content-Type", "text/plain; charset=latin-1"]]',
    )
    html = get_html(browser, page_url(delivery, "change/"))
    assert "Grüße" in html
    assert "00 ff fe" in html


def test_a_truncated_body_says_so_and_may_end_within_a_character(
    browser: Client, delivery: Delivery
) -> None:
    DeliveryAttempt.objects.update(response_body=(b"x" * (16 * 1024 - 1)) + "ü".encode()[:1])
    html = get_html(browser, page_url(delivery, "change/"))
    assert "Only the first 16 KiB of the body are kept." in html
    assert "xxxx" in html


@pytest.mark.parametrize(("part", "expected"), [("request", "Jolanda"), ("response", "detail")])
def test_a_raw_body_is_downloaded_as_a_text_file(
    browser: Client, delivery: Delivery, part: str, expected: str
) -> None:
    attempt = delivery.attempts.get()
    response = browser.get(f"/admin/referrals/delivery/attempts/{attempt.pk}/{part}/")
    assert response.content == bytes(getattr(attempt, f"{part}_body"))
    assert expected in response.content.decode()
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Disposition"] == (
        f'attachment; filename="delivery-{delivery.pk}-attempt-1-{part}.txt"'
    )


def test_a_raw_body_requires_the_permission_and_the_account(
    reporter: Client, delivery: Delivery
) -> None:
    url = f"/admin/referrals/delivery/attempts/{delivery.attempts.get().pk}/request/"
    assert reporter.get(url).status_code == 403
    other = Account.objects.create(name="Other", slug="other")
    foreign_editor = login_client(create_user("Stan", other, role="Editor", sees_customers=True))
    assert foreign_editor.get(url).status_code == 404


def test_a_reporter_sees_the_exchange_without_personal_data(
    reporter: Client, delivery: Delivery
) -> None:
    html = get_html(reporter, page_url(delivery, "change/"))
    for personal in ("exists@example.com", "Jolanda", "Sommer", "7572923"):
        assert personal not in html
    assert "•••• is already a list member" in html
    assert "Member Exists" in html
    assert "Raw body" not in html


def test_a_request_is_hidden_from_a_reporter_once_its_connection_has_changed(
    reporter: Client, browser: Client, delivery: Delivery
) -> None:
    Connection.objects.update(changed_at=timezone.now())
    hidden = get_html(reporter, page_url(delivery, "change/"))
    assert "The connection was changed since" in hidden
    assert "merge_fields" not in hidden
    assert "Member Exists" in hidden
    assert "curl" not in hidden
    assert "merge_fields" in get_html(browser, page_url(delivery, "change/"))


@pytest.mark.parametrize(
    "template",
    [
        "{{ email }}",
        "{{ email | url_encode }}",
        "{{ email | base64 }}",
        "{{ last_name | append: first_name | base64 }}",
        "{{ email | upcase | sha256 }}",
    ],
)
def test_a_reporter_sees_no_encoding_of_personal_data_in_the_curl_command(
    reporter: Client, browser: Client, campaign: Campaign, link: Link, template: str
) -> None:
    endpoint = Endpoint.objects.get(environment="production")
    Endpoint.objects.filter(pk=endpoint.pk).update(url=f"{endpoint.url}?q={template}")
    Connection.objects.update(
        document=f'{{"q": "{template}"}}', headers={"X-Q": template}, required_attributes=[]
    )
    create_referrals(campaign, "exists@example.com", **PERSON)
    deliver()
    delivery = Delivery.objects.get()
    request = delivery.attempts.get().request()
    [rendered] = [value for name, value in request.headers if name == "X-Q"]
    seen, hidden = (get_html(one, page_url(delivery, "change/")) for one in (browser, reporter))
    assert text_content(seen).count(rendered) >= 6
    assert f"{request.url.partition('?')[0]}?q=••••" in text_content(hidden)
    assert "--header 'X-Q: ••••'" in text_content(hidden)
    assert """--data-raw '{"q": "••••"}'""" in text_content(hidden)
    for form in (
        rendered,
        quote(rendered, safe=""),
        b64encode(rendered.encode()).decode(),
        "Jolanda",
    ):
        assert form not in text_content(hidden)

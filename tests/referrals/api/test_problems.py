"""Tests of the problems that the intake API returns; nothing is stored then."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from connections.models import Account, Campaign, Link
from referrals.api import views
from referrals.models import Delivery, IntakeKey, Referral
from referrals.models.intake_keys import issue_key
from tests.referrals.factories import IntakeClient

URL = "/api/v1/campaigns/cmp_news/referrals"
UNSTORED = "Nothing was stored. Correct what errors names and send all of it again."
NO_KEY = "Send the account's intake key in the header Authorization: Bearer <intake key>."
NOWHERE = "There is nothing at this address."

pytestmark = pytest.mark.usefixtures("link")


@pytest.fixture(autouse=True)
def nothing_is_stored(db: None) -> Any:
    yield
    assert not Referral.objects.exists()
    assert not Delivery.objects.exists()


def problem(title: str, status: int, detail: str) -> tuple[int, Any]:
    return status, {"type": "about:blank", "title": title, "status": status, "detail": detail}


def unprocessable(*errors: tuple[str, str]) -> tuple[int, Any]:
    status, content = problem("Unprocessable Entity", 422, UNSTORED)
    return status, content | {
        "errors": [{"field": field, "message": message} for field, message in errors]
    }


def referral(external_id: Any = "a", /, **attributes: Any) -> dict[str, Any]:
    return {"external_id": external_id, "attributes": attributes}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (
            '{"external_id": "a", }',
            "Expecting property name enclosed in double quotes: line 1 column 22 (char 21)",
        ),
        ("[1,\n2,]", "Expecting value: line 2 column 3 (char 6)"),
        ('{"external_id": "a", "attributes": {"age": NaN}}', "NaN is no JSON value"),
        ('{"external_id": "a", "attributes": {"age": -Infinity}}', "-Infinity is no JSON value"),
    ],
)
def test_a_body_that_is_not_json_is_refused(
    intake_client: IntakeClient, body: str, why: str
) -> None:
    assert intake_client.post(body) == problem("Bad Request", 400, f"The body is not JSON: {why}.")


def test_a_body_that_is_nested_too_deeply_is_refused(intake_client: IntakeClient) -> None:
    assert intake_client.post("[" * 100_000) == problem(
        "Bad Request", 400, "The body is nested too deeply."
    )


@pytest.mark.parametrize(
    ("content", "errors"),
    [
        ([], [("body", "List should have at least 1 item after validation, not 0")]),
        (
            [referral(str(number)) for number in range(1001)],
            [("body", "List should have at most 1000 items after validation, not 1001")],
        ),
        ({}, [("external_id", "Field required"), ("attributes", "Field required")]),
        ({"attributes": {}}, [("external_id", "Field required")]),
        ([referral(), {"attributes": {}}], [("[1].external_id", "Field required")]),
        (referral(5), [("external_id", "Input should be a valid string")]),
        (referral(""), [("external_id", "String should have at least 1 character")]),
        (referral("x" * 201), [("external_id", "String should have at most 200 characters")]),
        (referral("a\0b"), [("external_id", "must be a text of printable characters")]),
        ({**referral(), "extra": 1}, [("extra", "Extra inputs are not permitted")]),
        ({**referral(), "attributes": []}, [("attributes", "Input should be a valid dictionary")]),
        (
            {**referral(), "occurred_at": "2026-01-31T12:30:00"},
            [("occurred_at", "Input should have timezone info")],
        ),
        (
            [referral(), {**referral("b"), "occurred_at": "0001-01-01T00:00:00+14:00"}],
            [("[1].occurred_at", "must be a time of the years 1 to 9999 in UTC")],
        ),
    ],
)
def test_an_invalid_referral_is_refused_with_every_error(
    intake_client: IntakeClient, content: object, errors: list[tuple[str, str]]
) -> None:
    assert intake_client.post(content) == unprocessable(*errors)


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        ({"emial": "jo@a.com"}, 'there is no such attribute. Did you mean "email"?'),
        ({"shoes": 1}, "there is no such attribute."),
        ({"age": "old"}, "must be a whole number, such as 25"),
        ({"age": 2.5}, "must be a whole number, such as 25"),
        ({"bid_price": "cheap"}, "must be a number, such as 2.50"),
        ({"birth_date": "31.01.1990"}, "must be a date, such as 1991-11-27"),
        ({"opt_in_at": "soon"}, "must be a date and time, such as 2026-01-31T12:30:00Z"),
        ({"email": True}, "must be a text"),
        ({"email": ["jo@a.com"]}, "must be a text"),
        ({"first_name": "Jo\0"}, "must not hold control characters"),
        ({"first_name": "\x1b[31m"}, "must not hold control characters"),
        ({"first_name": "\ud800"}, "must not hold control characters"),
        ({"first_name": "x" * 4097}, "must not be longer than 4096 characters"),
        ({"age": 10**40}, "must not have more than 40 digits"),
    ],
)
def test_an_invalid_attribute_is_refused_with_the_reason(
    intake_client: IntakeClient, attributes: dict[str, Any], why: str
) -> None:
    [name] = attributes

    assert intake_client.post(referral(**attributes)) == unprocessable((f"attributes.{name}", why))


def test_an_invalid_item_refuses_the_whole_list(intake_client: IntakeClient) -> None:
    content = [
        referral("a", email="jo@a.com"),
        referral("b", age="old", emial="x"),
        referral("c", first_name="Jo\0"),
    ]

    assert intake_client.post(content) == unprocessable(
        ("[1].attributes.age", "must be a whole number, such as 25"),
        ("[1].attributes.emial", 'there is no such attribute. Did you mean "email"?'),
        ("[2].attributes.first_name", "must not hold control characters"),
    )


def test_a_body_that_is_too_large_is_refused(intake_client: IntakeClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2048

    assert intake_client.post(json.dumps(referral(ad_text="x" * 2048))) == problem(
        "Request Entity Too Large",
        413,
        "The body is larger than 2 KiB. Send fewer referrals in one request.",
    )


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer rk_wrong", "Basic {key}", "{key}"])
def test_a_request_without_a_valid_key_is_refused(
    client: Client, intake_key: str, header: str | None
) -> None:
    headers = {"Authorization": header.format(key=intake_key)} if header else {}

    response = client.post(URL, referral(), content_type="application/json", headers=headers)

    assert (response.status_code, response.json()) == problem("Unauthorized", 401, NO_KEY)
    assert response["Content-Type"] == "application/problem+json"
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_revoked_key_is_refused(intake_client: IntakeClient) -> None:
    IntakeKey.objects.update(revoked_at=timezone.now())

    assert intake_client.post(referral()) == problem("Unauthorized", 401, NO_KEY)


def test_an_unknown_campaign_is_not_found(intake_client: IntakeClient) -> None:
    detail = 'There is no campaign "cmp_none" in this account.'

    assert intake_client.post(referral(), campaign="cmp_none") == problem("Not Found", 404, detail)


@pytest.fixture
def foreign_client(client: Client) -> IntakeClient:
    """Call the API as another account."""
    account = Account.objects.create(name="Other", slug="other")
    return IntakeClient(client, issue_key(IntakeKey(account=account, name="Theirs")))


def test_a_campaign_of_another_account_is_not_found(
    foreign_client: IntakeClient, campaign: Campaign
) -> None:
    detail = 'There is no campaign "cmp_news" in this account.'

    assert foreign_client.post(referral()) == problem("Not Found", 404, detail)


@pytest.mark.parametrize("status", ["paused", "archived"])
def test_a_campaign_that_is_not_live_refuses_referrals(
    intake_client: IntakeClient, campaign: Campaign, status: str
) -> None:
    Campaign.objects.update(status=status)
    detail = f"The campaign Newsletter is {status}. Nothing was stored."

    assert intake_client.post(referral()) == problem("Conflict", 409, detail)


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_a_method_other_than_post_is_not_allowed(client: Client, method: str) -> None:
    response = getattr(client, method)(URL)

    assert (response.status_code, response["Allow"]) == (405, "POST")
    expected = problem("Method Not Allowed", 405, "This address takes POST.")
    assert (response.status_code, response.json()) == expected
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("url", ["/api/", "/api/v1/", "/api/v1/nothing", f"{URL}/", "/api/v2/x"])
def test_an_unknown_url_is_not_found(client: Client, url: str) -> None:
    response = client.post(url, referral(), content_type="application/json")

    assert (response.status_code, response.json()) == problem("Not Found", 404, NOWHERE)
    assert response["Content-Type"] == "application/problem+json"


def test_an_internal_error_is_reported_without_its_details(
    client: Client, intake_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(views, "accept_referrals", fail)
    client.raise_request_exception = False
    response = client.post(
        URL, referral(), content_type="application/json",
        headers={"Authorization": f"Bearer {intake_key}"},
    )  # fmt: skip

    assert (response.status_code, response.json()["title"]) == (500, "Internal Server Error")
    assert "ZeroDivision" not in response.content.decode()


def test_an_error_outside_the_api_is_an_html_page(client: Client) -> None:
    assert client.get("/nothing")["Content-Type"].startswith("text/html")


def test_an_unknown_referral_is_not_found(intake_client: IntakeClient) -> None:
    missing = "01a20e90-c36a-7d50-a1e4-3603a9456225"
    detail = f"There is no referral {missing} in this account."

    assert intake_client.get(missing) == problem("Not Found", 404, detail)


@pytest.mark.parametrize("id_", ["1", "order-1", "01a20e90-c36a-7d50-a1e4-3603a945622", "%00"])
def test_a_malformed_referral_id_is_not_found(intake_client: IntakeClient, id_: str) -> None:
    assert intake_client.get(id_) == problem("Not Found", 404, NOWHERE)


@pytest.mark.parametrize("key", ["a%00b", "%FF", "a%20b", "cmp_news%0A"])
def test_a_malformed_campaign_key_is_not_found(intake_client: IntakeClient, key: str) -> None:
    response = intake_client.post({"external_id": "a", "attributes": {}}, campaign=key)

    assert response == problem("Not Found", 404, NOWHERE)


def test_a_referral_of_another_account_is_not_found(
    foreign_client: IntakeClient, campaign: Campaign
) -> None:
    theirs = Referral.objects.create(campaign=campaign, external_id="a", accepted_at=timezone.now())
    detail = f"There is no referral {theirs.pk} in this account."

    assert foreign_client.get(theirs.pk) == problem("Not Found", 404, detail)
    theirs.delete()


def test_a_problem_has_the_content_type_of_problems(
    client: Client, intake_key: str, link: Link
) -> None:
    headers = {"Authorization": f"Bearer {intake_key}"}

    response = client.post(URL, "{", content_type="application/json", headers=headers)

    assert response["Content-Type"] == "application/problem+json"
    assert "WWW-Authenticate" not in response

"""What the intake API refuses: which field, why, and what would be right; nothing is stored."""

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
from tests.referrals.factories import Door

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


def refused(title: str, status: int, detail: str) -> tuple[int, Any]:
    return status, {"type": "about:blank", "title": title, "status": status, "detail": detail}


def wrong(*errors: tuple[str, str]) -> tuple[int, Any]:
    status, content = refused("Unprocessable Entity", 422, UNSTORED)
    return status, content | {"errors": [{"field": one, "message": why} for one, why in errors]}


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
def test_a_body_that_is_not_json(door: Door, body: str, why: str) -> None:
    assert door.post(body) == refused("Bad Request", 400, f"The body is not JSON: {why}.")


def test_a_body_that_is_nested_too_deeply(door: Door) -> None:
    assert door.post("[" * 100_000) == refused("Bad Request", 400, "The body is nested too deeply.")


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
def test_a_referral_that_is_none(
    door: Door, content: object, errors: list[tuple[str, str]]
) -> None:
    assert door.post(content) == wrong(*errors)


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
def test_an_attribute_that_is_none(door: Door, attributes: dict[str, Any], why: str) -> None:
    [name] = attributes

    assert door.post(referral(**attributes)) == wrong((f"attributes.{name}", why))


def test_one_wrong_item_refuses_the_whole_list(door: Door) -> None:
    content = [
        referral("a", email="jo@a.com"),
        referral("b", age="old", emial="x"),
        referral("c", first_name="Jo\0"),
    ]

    assert door.post(content) == wrong(
        ("[1].attributes.age", "must be a whole number, such as 25"),
        ("[1].attributes.emial", 'there is no such attribute. Did you mean "email"?'),
        ("[2].attributes.first_name", "must not hold control characters"),
    )


def test_a_body_that_is_too_large(door: Door, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2048

    assert door.post(json.dumps(referral(ad_text="x" * 2048))) == refused(
        "Request Entity Too Large",
        413,
        "The body is larger than 2 KiB. Send fewer referrals in one request.",
    )


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer rk_wrong", "Basic {key}", "{key}"])
def test_whoever_has_no_key(client: Client, intake_key: str, header: str | None) -> None:
    headers = {"Authorization": header.format(key=intake_key)} if header else {}

    response = client.post(URL, referral(), content_type="application/json", headers=headers)

    assert (response.status_code, response.json()) == refused("Unauthorized", 401, NO_KEY)
    assert response["Content-Type"] == "application/problem+json"
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_key_that_was_revoked(door: Door) -> None:
    IntakeKey.objects.update(revoked_at=timezone.now())

    assert door.post(referral()) == refused("Unauthorized", 401, NO_KEY)


def test_a_campaign_that_there_is_not(door: Door) -> None:
    detail = 'There is no campaign "cmp_none" in this account.'

    assert door.post(referral(), campaign="cmp_none") == refused("Not Found", 404, detail)


@pytest.fixture
def stranger(client: Client) -> Door:
    """The API as another account sees it."""
    account = Account.objects.create(name="Other", slug="other")
    return Door(client, issue_key(IntakeKey(account=account, name="Theirs")))


def test_a_campaign_of_another_account(stranger: Door, campaign: Campaign) -> None:
    detail = 'There is no campaign "cmp_news" in this account.'

    assert stranger.post(referral()) == refused("Not Found", 404, detail)


@pytest.mark.parametrize("status", ["paused", "archived"])
def test_a_campaign_that_is_not_live(door: Door, campaign: Campaign, status: str) -> None:
    Campaign.objects.update(status=status)
    detail = f"The campaign Newsletter is {status}. Nothing was stored."

    assert door.post(referral()) == refused("Conflict", 409, detail)


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_another_method(client: Client, method: str) -> None:
    response = getattr(client, method)(URL)

    assert (response.status_code, response["Allow"]) == (405, "POST")
    expected = refused("Method Not Allowed", 405, "This address takes POST.")
    assert (response.status_code, response.json()) == expected
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "address", ["/api/", "/api/v1/", "/api/v1/nothing", f"{URL}/", "/api/v2/x"]
)
def test_an_unknown_address(client: Client, address: str) -> None:
    response = client.post(address, referral(), content_type="application/json")

    assert (response.status_code, response.json()) == refused("Not Found", 404, NOWHERE)
    assert response["Content-Type"] == "application/problem+json"


def test_a_fault_of_ours(client: Client, intake_key: str, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_errors_of_pages_stay_pages(client: Client) -> None:
    assert client.get("/nothing")["Content-Type"].startswith("text/html")


def test_a_referral_that_there_is_not(door: Door) -> None:
    missing = "01a20e90-c36a-7d50-a1e4-3603a9456225"
    detail = f"There is no referral {missing} in this account."

    assert door.get(missing) == refused("Not Found", 404, detail)


@pytest.mark.parametrize("id_", ["1", "order-1", "01a20e90-c36a-7d50-a1e4-3603a945622", "%00"])
def test_an_id_that_is_none_names_nothing(door: Door, id_: str) -> None:
    assert door.get(id_) == refused("Not Found", 404, NOWHERE)


@pytest.mark.parametrize("key", ["a%00b", "%FF", "a%20b", "cmp_news%0A"])
def test_a_text_that_is_no_campaigns_key_names_nothing(door: Door, key: str) -> None:
    answer = door.post({"external_id": "a", "attributes": {}}, campaign=key)

    assert answer == refused("Not Found", 404, NOWHERE)


def test_a_referral_of_another_account(stranger: Door, campaign: Campaign) -> None:
    theirs = Referral.objects.create(campaign=campaign, external_id="a", accepted_at=timezone.now())
    detail = f"There is no referral {theirs.pk} in this account."

    assert stranger.get(theirs.pk) == refused("Not Found", 404, detail)
    theirs.delete()


def test_a_problem_says_that_it_is_one(client: Client, intake_key: str, link: Link) -> None:
    headers = {"Authorization": f"Bearer {intake_key}"}

    response = client.post(URL, "{", content_type="application/json", headers=headers)

    assert response["Content-Type"] == "application/problem+json"
    assert "WWW-Authenticate" not in response

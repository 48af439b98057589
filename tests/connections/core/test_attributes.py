"""Tests of the attributes and their catalogue."""

import hashlib
from decimal import Decimal

import pytest

from connections.core.attributes import (
    CATALOGUE,
    Attribute,
    AttributeType,
    AttributeValueError,
    CampaignKind,
    examples,
    shareable,
)
from connections.core.values import ExactNumber

TRAFFIC, SUBSCRIPTION, LEADS = CampaignKind


def make_attribute(kind: str) -> Attribute:
    return Attribute(key="any", label="Any", type=AttributeType(kind))


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("text", "Jo", "Jo"),
        ("text", " é🎉\r\n\t\u2028", " é🎉\r\n\t\u2028"),
        ("text", "01234", "01234"),
        ("text", 1234, "1234"),
        ("text", "x" * 4_096, "x" * 4_096),
        ("text", " ", " "),
        ("integer", 25, 25),
        ("integer", "25", 25),
        ("integer", "-7", -7),
        ("integer", "2581697744617019994", 2581697744617019994),
        ("integer", 10**40 - 1, 10**40 - 1),
        ("integer", "9" * 40, 10**40 - 1),
        ("integer", 0, 0),
        ("decimal", "2.50", "2.50"),
        ("decimal", 2.5, "2.5"),
        ("decimal", 3, "3"),
        ("decimal", Decimal("300.50"), "300.50"),
        ("decimal", "1e3", "1000"),
        ("decimal", "1E-7", "0.0000001"),
        ("decimal", ".5", "0.5"),
        ("decimal", "+5.", "5"),
        ("decimal", " 2.50 ", "2.50"),
        ("decimal", 0, "0"),
        ("boolean", True, True),
        ("boolean", False, False),
        ("date", "1991-11-27", "1991-11-27"),
        ("date", "19911127", "1991-11-27"),
        ("datetime", "2026-01-31T12:30:00Z", "2026-01-31T12:30:00+00:00"),
        ("datetime", "2026-01-31 12:30", "2026-01-31T12:30:00"),
    ],
)
def test_a_value_is_stored_exactly(kind: str, value: object, stored: object) -> None:
    cleaned = make_attribute(kind).clean(value)
    assert (cleaned, type(cleaned)) == (stored, type(stored))
    assert make_attribute(kind).clean(cleaned) == cleaned


@pytest.mark.parametrize("kind", list(AttributeType))
@pytest.mark.parametrize("value", [None, ""])
def test_an_empty_value_is_cleaned_to_none(kind: str, value: object) -> None:
    assert make_attribute(kind).clean(value) is None


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("text", True, "must be a text"),
        ("text", 2.5, "must be a text"),
        ("text", ["a"], "must be a text"),
        ("text", {}, "must be a text"),
        ("text", "a\0b", "must not hold control characters"),
        ("text", "\x1b[0m", "must not hold control characters"),
        ("text", "\ud800", "must not hold control characters"),
        ("text", "\uffff", "must not hold control characters"),
        ("text", "x" * 4_097, "must not be longer than 4096 characters"),
        pytest.param("text", 10**5_000, "must not have more than 40 digits", id="huge text"),
        ("integer", 10**40, "must not have more than 40 digits"),
        ("integer", -(10**40), "must not have more than 40 digits"),
        ("integer", "9" * 41, "must be a whole number, such as 25"),
        ("integer", "25.0", "must be a whole number, such as 25"),
        ("integer", 25.0, "must be a whole number, such as 25"),
        ("integer", True, "must be a whole number, such as 25"),
        ("integer", "25\n", "must be a whole number, such as 25"),
        ("decimal", "abc", "must be a number, such as 2.50"),
        ("decimal", "NaN", "must be a number, such as 2.50"),
        ("decimal", float("inf"), "must be a number, such as 2.50"),
        ("decimal", "sNaN", "must be a number, such as 2.50"),
        ("decimal", "1e41", "must be a number, such as 2.50"),
        ("decimal", "1e999999999999999999999", "must be a number, such as 2.50"),
        ("decimal", "1." + "0" * 5_000, "must be a number, such as 2.50"),
        ("decimal", True, "must be a number, such as 2.50"),
        ("decimal", [1], "must be a number, such as 2.50"),
        ("boolean", "true", "must be true or false"),
        ("boolean", 1, "must be true or false"),
        ("date", "27/11/1991", "must be a date, such as 1991-11-27"),
        ("date", "1991-02-30", "must be a date, such as 1991-11-27"),
        ("date", True, "must be a date, such as 1991-11-27"),
        ("datetime", "noon", "must be a date and time, such as 2026-01-31T12:30:00Z"),
        pytest.param("date", 10**5_000, "must not have more than 40 digits", id="huge date"),
    ],
)
def test_a_value_of_another_type_is_refused(kind: str, value: object, message: str) -> None:
    with pytest.raises(AttributeValueError) as caught:
        make_attribute(kind).clean(value)
    assert str(caught.value) == message


def test_a_decimal_is_an_exact_number_in_templates() -> None:
    typed = make_attribute("decimal").typed("2.50")
    assert isinstance(typed, ExactNumber)
    assert (typed, str(typed)) == (2.5, "2.50")
    assert make_attribute("text").typed("2.50") == "2.50"


@pytest.mark.parametrize(
    "stored", ["abc", "nan", "inf", "1e5", ".5", "1_0", "007", "٢", "", None, 5]
)
def test_a_stored_value_that_is_not_a_decimal_is_unchanged(stored: object) -> None:
    assert make_attribute("decimal").typed(stored) is stored


def test_every_example_is_valid_for_its_attribute() -> None:
    for attribute in CATALOGUE.values():
        assert attribute.example != ""
        assert attribute.clean(attribute.example) == attribute.example, attribute.key
    assert examples()["bid_price"] == ExactNumber("2.50")
    email = str(CATALOGUE["email"].example).encode()
    assert CATALOGUE["email_md5"].example == hashlib.md5(email).hexdigest()
    assert CATALOGUE["email_sha256"].example == hashlib.sha256(email).hexdigest()


def test_the_kind_of_campaign_limits_the_shared_attributes() -> None:
    personal = {key for key, attribute in CATALOGUE.items() if attribute.is_personal}
    shared = {
        kind: {key for key, attribute in CATALOGUE.items() if kind in attribute.shared_by}
        for kind in CampaignKind
    }
    assert not personal & shared[TRAFFIC]
    assert personal & shared[SUBSCRIPTION] == {
        "email", "email_md5", "email_sha256", "first_name", "last_name",
    }  # fmt: skip
    assert shared[LEADS] == set(CATALOGUE)
    assert {"age", "gender", "state", "postal_code"} <= shared[SUBSCRIPTION]


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        (TRAFFIC, {"source", "bid_price"}),
        (SUBSCRIPTION, {"source", "bid_price", "email"}),
        (LEADS, {"source", "bid_price", "email", "mobile"}),
    ],
)
def test_only_shareable_attributes_reach_a_template(kind: CampaignKind, keys: set[str]) -> None:
    stored = {"source": "web", "bid_price": "2.50", "email": "a@b", "mobile": "+1", "unknown": "x"}
    passed = shareable(stored, kind)
    assert set(passed) == keys
    assert isinstance(passed["bid_price"], ExactNumber)


def test_kinds_of_campaign_have_labels() -> None:
    assert [kind.label for kind in CampaignKind] == [
        "Website traffic",
        "Email subscription",
        "Lead generation",
    ]

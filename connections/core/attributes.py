"""The attributes that a referral may carry, and which of them each kind of campaign may share.

Sources: the advertiser's list of shared attributes and the partner's list of keys, with the rules
for personal data of each kind of campaign.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from connections.core.values import ExactNumber

_MAX_TEXT_LENGTH = 4_096
_MAX_NUMBER_LENGTH = 40
_INTEGER_TEXT = re.compile(rf"-?\d{{1,{_MAX_NUMBER_LENGTH}}}")
_STORED_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_FORBIDDEN_CHARACTERS = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that PostgreSQL or XML can't hold."""


class CampaignKind(StrEnum):
    """The purpose of a campaign; it decides which attributes its referrals may share."""

    WEBSITE_TRAFFIC = "website_traffic"
    EMAIL_SUBSCRIPTION = "email_subscription"
    LEAD_GENERATION = "lead_generation"

    @property
    def label(self) -> str:
        """The label for people, such as "Website traffic"."""
        return self.value.replace("_", " ").capitalize()


class AttributeType(StrEnum):
    """The type of an attribute's values."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"


class AttributeValueError(ValueError):
    """A value does not have its attribute's type; the message ends a sentence: "must be a text"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One named value that a referral may carry.

    `is_personal` values are masked for people without the permission; `shared_by` names the kinds
    of campaign that may pass the value on.
    """

    key: str
    label: str
    type: AttributeType = AttributeType.TEXT
    example: str | int | bool = ""
    is_personal: bool = False
    shared_by: frozenset[CampaignKind] = frozenset(CampaignKind)

    def clean(self, value: object) -> str | int | bool | None:
        """Return the value to store: exact, in a JSON type, None if it is empty.

        Raises AttributeValueError if the value does not have the attribute's type.
        """
        if value is None or value == "":
            return None
        if isinstance(value, int) and abs(value) >= 10**_MAX_NUMBER_LENGTH:
            raise AttributeValueError(f"must not have more than {_MAX_NUMBER_LENGTH} digits")
        return _CLEANERS[self.type](value)

    def typed(self, value: object) -> object:
        """Return the stored value for templates: a decimal becomes a number that keeps its digits.

        A text that was stored before the attribute became a decimal stays a text.
        """
        if self.type is not AttributeType.DECIMAL or not isinstance(value, str):
            return value
        return ExactNumber(value) if _STORED_DECIMAL.fullmatch(value) else value


Catalogue = Mapping[str, Attribute]
"""Attributes by key."""


def _clean_text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise AttributeValueError("must be a text")
    text = str(value)
    if _FORBIDDEN_CHARACTERS.search(text):
        raise AttributeValueError("must not hold control characters")
    if len(text) > _MAX_TEXT_LENGTH:
        raise AttributeValueError(f"must not be longer than {_MAX_TEXT_LENGTH} characters")
    return text


def _clean_integer(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _INTEGER_TEXT.fullmatch(value):
        return int(value)
    raise AttributeValueError("must be a whole number, such as 25")


def _clean_decimal(value: object) -> str:
    if isinstance(value, (str, int, float, Decimal)) and not isinstance(value, bool):
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        is_short = number.is_finite() and abs(number.adjusted()) <= _MAX_NUMBER_LENGTH
        if is_short and len(format(number, "f")) <= _MAX_NUMBER_LENGTH:
            return format(number, "f")
    raise AttributeValueError("must be a number, such as 2.50")


def _clean_boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise AttributeValueError("must be true or false")


def _clean_date(value: object) -> str:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise AttributeValueError("must be a date, such as 1991-11-27") from None


def _clean_datetime(value: object) -> str:
    try:
        return datetime.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise AttributeValueError("must be a date and time, such as 2026-01-31T12:30:00Z") from None


_CLEANERS: Mapping[AttributeType, Callable[[object], str | int | bool]] = {
    AttributeType.TEXT: _clean_text,
    AttributeType.INTEGER: _clean_integer,
    AttributeType.DECIMAL: _clean_decimal,
    AttributeType.BOOLEAN: _clean_boolean,
    AttributeType.DATE: _clean_date,
    AttributeType.DATETIME: _clean_datetime,
}

_SUBSCRIPTION = frozenset({CampaignKind.EMAIL_SUBSCRIPTION, CampaignKind.LEAD_GENERATION})
_LEADS = frozenset({CampaignKind.LEAD_GENERATION})

_INTEGER, _DECIMAL, _DATE, _DATETIME = (
    AttributeType.INTEGER,
    AttributeType.DECIMAL,
    AttributeType.DATE,
    AttributeType.DATETIME,
)

_PERSONAL_ATTRIBUTES = (
    ("email", "Email address", "john.smith@example.com", _SUBSCRIPTION),
    ("email_md5", "Email address (MD5)", "1bc5edb4799fd8eec67c66122f47eb73", _SUBSCRIPTION),
    (
        "email_sha256",
        "Email address (SHA-256)",
        "8e621e3d0368631d263d07a351fa8d34fba0d17c15fbcdec11a5f58008d022a0",
        _SUBSCRIPTION,
    ),
    ("first_name", "First name", "John", _SUBSCRIPTION),
    ("last_name", "Last name", "Smith", _SUBSCRIPTION),
    ("title", "Title", "Ms", _LEADS),
    ("mobile", "Mobile number", "+17327572923", _LEADS),
    ("unit_number", "Unit number", "101", _LEADS),
    ("address1", "Address line 1", "123 Fake Street", _LEADS),
    ("address2", "Address line 2", "Building A", _LEADS),
    ("physical_address", "Physical address", "123 Fake Street, New York, NY 10010", _LEADS),
    ("billing_address1", "Billing address line 1", "175 Varick St", _LEADS),
    ("billing_address2", "Billing address line 2", "Floor 10", _LEADS),
    ("billing_postal_code", "Billing ZIP/postal code", "10014-1234", _LEADS),
    ("ip_address", "IP address", "203.0.113.7", _LEADS),
)

_OTHER_ATTRIBUTES: tuple[tuple[str, str, AttributeType, str | int | bool], ...] = (
    ("gender", "Gender", AttributeType.TEXT, "Male"),
    ("age", "Age", _INTEGER, 25),
    ("postal_code", "ZIP/postal code", AttributeType.TEXT, "01234"),
    ("state", "State", AttributeType.TEXT, "CA"),
    ("suburb", "Suburb or city", AttributeType.TEXT, "Seattle"),
    ("country", "Country", AttributeType.TEXT, "US"),
    ("language", "Language", AttributeType.TEXT, "en"),
    ("source", "Source", AttributeType.TEXT, "checkout"),
    ("opt_in_at", "Date/time of the opt-in", _DATETIME, "2026-01-31T12:30:00+00:00"),
    ("bid_price", "Bid price", _DECIMAL, "2.50"),
    ("ad_response", "Ad response", AttributeType.TEXT, "Yes, please"),
    ("ad_text", "Ad text", AttributeType.TEXT, "Receive a call today to hear more."),
    ("ad_text_html", "Ad text (HTML)", AttributeType.TEXT, "<p>Receive a call today.</p>"),
    ("audience_id", "Audience ID", _INTEGER, 2581697744617019994),
    ("audience_name", "Audience name", AttributeType.TEXT, "M/F: 25+"),
    ("browser", "Browser", AttributeType.TEXT, "Chrome Mobile"),
    ("browser_version", "Browser version", _INTEGER, 52),
    ("browser_version_full", "Browser version (full)", AttributeType.TEXT, "52.0.2743.98"),
    ("amount", "Order amount", _DECIMAL, "300.50"),
    ("currency", "Currency", AttributeType.TEXT, "USD"),
    ("quantity", "Quantity", _INTEGER, 2),
    ("confirmation_reference", "Confirmation reference", AttributeType.TEXT, "XYZ123"),
    ("customer_type", "Customer type", AttributeType.TEXT, "guest"),
    ("product_name", "Product name", AttributeType.TEXT, "DSC-HX99"),
)

_ATTRIBUTES = (
    *(
        Attribute(key=key, label=label, example=example, is_personal=True, shared_by=shared_by)
        for key, label, example, shared_by in _PERSONAL_ATTRIBUTES
    ),
    Attribute(
        key="birth_date",
        label="Birth date",
        type=_DATE,
        example="1991-11-27",
        is_personal=True,
        shared_by=_LEADS,
    ),
    *(
        Attribute(key=key, label=label, type=type_, example=example)
        for key, label, type_, example in _OTHER_ATTRIBUTES
    ),
)

CATALOGUE: Catalogue = {attribute.key: attribute for attribute in _ATTRIBUTES}
"""The attributes of every account by key, in the order in which people see them."""


def examples(catalogue: Catalogue = CATALOGUE) -> dict[str, object]:
    """Return an example of each attribute, typed for templates, for previews, tests and checks."""
    return {key: attribute.typed(attribute.example) for key, attribute in catalogue.items()}


def shareable(
    values: Mapping[str, object],
    kind: CampaignKind,
    catalogue: Catalogue = CATALOGUE,
) -> dict[str, object]:
    """Return the values that a campaign of this kind may share, typed for templates."""
    return {
        key: catalogue[key].typed(value)
        for key, value in values.items()
        if key in catalogue and kind in catalogue[key].shared_by
    }

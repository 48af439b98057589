"""Match the values of a pasted sample to attributes, by name and by what the value looks like.

A person reviews every match.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connections.core.attributes import Attribute, AttributeType

_IN_EMAIL = r"[^@\s\"'<>&=?]"
EMAIL = re.compile(rf"(?<!{_IN_EMAIL}){_IN_EMAIL}+@{_IN_EMAIL}+\.{_IN_EMAIL}+")
"""Begins where a word begins: looked for from each letter, long words would take too long."""
FULL_NAME = "{{ first_name }} {{ last_name }}"
_PHONE = re.compile(r"\+?[\d\s().-]{7,20}")
_HASH = re.compile(r"[0-9a-f]{32}")
_WORD = re.compile(r"[A-Z][\w'\u2019.-]*( [\w'\u2019.-]+){0,3}")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_NUMBERS = (AttributeType.INTEGER, AttributeType.DECIMAL, AttributeType.BOOLEAN)

_ALIASES = {
    "email": "emailaddress mail mailaddress useremail contactemail subscriberemail personemail",
    "first_name": "firstname fname givenname forename first firstnames fn",
    "last_name": "lastname lname surname familyname last secondname ln",
    "title": "salutation honorific nameprefix",
    "mobile": "phone phonenumber phoneno telephone tel cell cellphone mobilephone mobileno msisdn "
    "smsnumber homephone primaryphone",
    "postal_code": "zip zipcode postcode postalcode postal zippostal",
    "state": "region province statecode stateprovince county",
    "suburb": "city town locality",
    "country": "countrycode countryname countryiso",
    "address1": "address street streetaddress addressline1 addr1 addr line1 street1",
    "address2": "addressline2 addr2 line2 street2",
    "birth_date": "dob birthdate dateofbirth birthday",
    "gender": "sex",
    "ip_address": "ip ipaddress clientip userip optinip ipsignup signupip leadip",
    "language": "lang locale preferredlanguage",
    "source": "leadsource utmsource sourceid signupsource",
    "opt_in_at": "optintime optindate timestampsignup timestampopt subscribedat optintimestamp",
    "currency": "currencycode",
    "amount": "orderamount ordertotal total",
    "quantity": "qty",
    "email_md5": "emailhash md5email",
    "confirmation_reference": "orderid ordernumber confirmationnumber",
}
_FULL_NAMES = ("name", "fullname", "contactname", "leadname", "displayname")
_BY_ALIAS = {alias: key for key, aliases in _ALIASES.items() for alias in aliases.split()}
_AMBIGUOUS: Mapping[str, Callable[[str], object]] = {
    "title": re.compile(r"(mr|ms|mrs|miss|mx|dr|prof)\.?", re.IGNORECASE).fullmatch,
    "state": re.compile(r"[A-Z]{2,3}|[A-Z][a-z]+( [A-Z][a-z]+)*").fullmatch,
    "source": bool,
    "language": re.compile(r"[a-z]{2}([-_][A-Za-z]{2})?|[A-Z][a-z]+").fullmatch,
    "country": re.compile(r"[A-Za-z]{2,3}|[A-Z][a-z]+( [A-Z][a-z]+)*").fullmatch,
    "age": re.compile(r"\d{1,3}").fullmatch,
    "amount": re.compile(r"\d+([.,]\d+)?").fullmatch,
    "quantity": re.compile(r"\d+").fullmatch,
    "mobile": _PHONE.fullmatch,
    "ip_address": re.compile(r"[\d.]{7,15}|[0-9a-f:]{3,39}", re.IGNORECASE).fullmatch,
    "email": EMAIL.fullmatch,
    "first_name": _WORD.fullmatch,
    "last_name": _WORD.fullmatch,
}
"""Words that CRMs also use for other things, with what their values look like if they mean this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeMatch:
    """The template that could stand in place of a value; only a sure one is preselected."""

    template: str
    is_sure: bool


def match_attribute(
    name: str, value: str, catalogue: Mapping[str, Attribute], *, is_text: bool = True
) -> AttributeMatch | None:
    """Return the attribute that a value under this name stands for, or None."""
    if not value.strip() or "{{" in value:
        return None
    if EMAIL.fullmatch(value.strip()):
        return AttributeMatch(template="{{ email }}", is_sure=True)
    key = attribute_named(name, catalogue)
    if key:
        looks_right = _AMBIGUOUS.get(key, bool)
        template = placeholder(catalogue[key], is_text=is_text)
        return AttributeMatch(template=template, is_sure=bool(looks_right(value.strip())))
    return _match_by_value(_plain(name), value)


def _match_by_value(name: str, value: str) -> AttributeMatch | None:
    if name in _FULL_NAMES:
        return AttributeMatch(
            template=FULL_NAME, is_sure=bool(re.fullmatch(r"[A-Z]\w+ [A-Z]\w+", value))
        )
    if _HASH.fullmatch(value):
        return AttributeMatch(template="{{ email | downcase | md5 }}", is_sure=False)
    if value.startswith("+") and _PHONE.fullmatch(value):
        return AttributeMatch(template="{{ mobile }}", is_sure=True)
    return None


def attribute_named(name: str, catalogue: Mapping[str, Attribute]) -> str:
    """Return the key of the attribute that CRMs call by this name, or an empty text."""
    plain = _plain(name)
    for key, attribute in catalogue.items():
        if plain in (_plain(key), _plain(attribute.label)):
            return key
    key = _BY_ALIAS.get(plain, "")
    return key if key in catalogue else ""


def placeholder(attribute: Attribute, *, is_text: bool) -> str:
    """Return the attribute's placeholder; a sample that was a text stays one, whatever the type."""
    is_number = attribute.type in _NUMBERS
    as_text = " | append: ''" if is_number and is_text else ""
    return f"{{{{ {attribute.key}{as_text} }}}}"


def snake_case(name: str) -> str:
    """Return `X-Api-Key` as `x_api_key`, the form of names in placeholders."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", _CAMEL.sub("_", name)).strip("_").lower()
    return words if words[:1].isalpha() else f"key_{words}".rstrip("_")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())

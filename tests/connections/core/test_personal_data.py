"""Tests of the masking of personal data."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from urllib.parse import quote_plus

import pytest

from connections.core.attributes import CATALOGUE, CampaignKind
from connections.core.messages import Request, Response
from connections.core.personal_data import build_personal_mask, is_personal, mask_all_but_origin
from connections.core.request.bodies import EmptyValues
from connections.core.request.builder import RequestBuilder
from connections.core.spec import ConnectionSpec

PERSON = {
    "email": "Jo.Müller+a@Example.com",
    "first_name": "Jo",
    "last_name": "Müller-Lüdenscheidt",
    "mobile": "+17327572923",
    "birth_date": "1991-11-27",
    "physical_address": "1 O'Hara & Sons\nNew York",
    "unit_number": "101",
    "country": "US",
    "age": 25,
}
MASK = build_personal_mask(PERSON, CATALOGUE)
EMAIL = PERSON["email"]


@pytest.mark.parametrize(
    "text",
    [
        "Jo.Müller+a@Example.com",
        "jo.müller+a@example.com",
        "JO.MÜLLER+A@EXAMPLE.COM",
        quote_plus("Jo.Müller+a@Example.com"),
        json.dumps("Jo.Müller+a@Example.com"),
        base64.b64encode(b"mail:" + str(EMAIL).encode()).decode(),
        hashlib.md5(str(EMAIL).lower().encode()).hexdigest(),
        hashlib.sha256(str(EMAIL).lower().encode()).hexdigest().upper(),
        "MÜLLER-LÜDENSCHEIDT",
        "müller-lüdenscheidt",
        "M\\u00fcller-L\\u00fcdenscheidt",
        "M&#252;ller-L&#xFC;denscheidt",
        "(732) 757-2923",
        "17327572923",
        "0732.757.2923",
        "27/11/1991",
        "19911127",
        "1 O&apos;Hara &amp; Sons\nNew York",
        "somebody.else@crm.example",
        "somebody.else%40crm.example",
    ],
)
def test_a_personal_value_is_masked_in_every_form(text: str) -> None:
    masked = MASK.in_text(f"<{text}>")
    assert "••••" in masked
    for part in ("jo.m", "ller", "732", "757", "1991", "hara", "sons", "else", "example"):
        assert part not in masked.lower()


@pytest.mark.parametrize("text", ["Jo", "jo", "JO", "101"])
def test_short_values_are_masked_as_whole_words(text: str) -> None:
    assert MASK.in_text(f'{{"a": "{text}"}}') == '{"a": "••••"}'


@pytest.mark.parametrize(
    "text", ["Join", "1012", "Member Exists", "US", "25", '{"status": 400, "id": 7}']
)
def test_text_without_personal_data_is_unchanged(text: str) -> None:
    assert MASK.in_text(text) == text


def test_bytes_that_are_not_text_are_unchanged() -> None:
    assert MASK.in_bytes(b"\xff\xfe\x00" + b"27/11/1991") == b"\xff\xfe\x00" + "••••".encode()


def test_a_request_and_a_response_are_masked_in_all_their_parts() -> None:
    request = Request(
        method="GET",
        url="https://crm.example/?e=Jo.M%C3%BCller%2Ba%40Example.com",
        headers=(("X-Phone", "+17327572923"),),
        body=b"name=Jo",
    )
    response = Response(status=400, headers=(("X-Of", str(EMAIL)),), body=str(EMAIL).encode())

    assert MASK.in_request(request) == Request(
        method="GET",
        url="https://crm.example/?e=••••",
        headers=(("X-Phone", "••••"),),
        body="name=••••".encode(),
    )
    assert MASK.in_response(response) == Response(
        status=400, headers=(("X-Of", "••••"),), body="••••".encode()
    )


@pytest.mark.parametrize(
    "template",
    [
        "{{ email | slice: 0, 5 }}",
        "{{ email | hmac_sha256: 'key' }}",
        "{{ birth_date | date: '%d. %B %y' }}",
        "{{ first_name | append: last_name | upcase }}",
        "{% assign parts = email | split: '@' %}{{ parts[0] | reverse }}",
    ],
)
def test_a_value_that_a_template_derives_from_a_person_is_masked(template: str) -> None:
    spec = ConnectionSpec(
        name="CRM",
        endpoints={"production": "https://crm.example/"},
        document=json.dumps({"a": template}),
        empty_values=EmptyValues.OMIT,
    )
    request = RequestBuilder(spec).build(PERSON)
    mask = build_personal_mask(PERSON, CATALOGUE, CampaignKind.LEAD_GENERATION, spec)
    assert mask.in_bytes(request.body).decode() == '{"a": "••••"}'


def test_an_invalid_description_masks_the_values_alone() -> None:
    spec = replace(ConnectionSpec(name="CRM"), document="{{ nothing")
    assert (
        build_personal_mask({"last_name": "Smith"}, CATALOGUE, spec=spec).in_text("Smith") == "••••"
    )


def test_an_attribute_missing_from_the_catalogue_is_personal() -> None:
    assert is_personal("gone", CATALOGUE)
    assert build_personal_mask({"gone": "secret hobby"}, {}).in_text("secret hobby") == "••••"


def test_a_request_can_be_masked_except_its_method_and_origin() -> None:
    request = Request(method="PUT", url="https://crm.example:8443/a/b?c=d", body=b"x")
    assert mask_all_but_origin(request) == Request(
        method="PUT", url="https://crm.example:8443/••••"
    )

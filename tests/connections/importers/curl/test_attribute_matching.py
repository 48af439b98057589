"""Tests of the placeholders that replace values of pasted curl commands."""

from __future__ import annotations

import json

from tests.connections.importers.curl.commands import (
    COMMANDS,
    HUBSPOT_OLD,
    MAILCHIMP,
    SOAP,
    build_command_request,
    build_spec,
    get_body,
)


def test_the_sample_makes_the_request_of_the_command() -> None:
    assert get_body(build_command_request(MAILCHIMP)) == {
        "email_address": "urist@freddiesjokes.com",
        "status": "subscribed",
        "merge_fields": {"FNAME": "Urist", "LNAME": "McVankab"},
    }


def test_a_name_beside_a_value_identifies_the_attribute() -> None:
    spec = build_spec(HUBSPOT_OLD)
    assert json.loads(spec.document)["properties"] == [
        {"property": "email", "value": "{{ email }}"},
        {"property": "firstname", "value": "{{ first_name }}"},
    ]


def test_xml_keeps_its_namespaces_and_gets_placeholders() -> None:
    spec = build_spec(SOAP)
    assert (spec.encoding, spec.content_type) == ("xml", "text/xml; charset=utf-8")
    assert "<EMAIL>{{ email }}</EMAIL><ZIP>{{ postal_code }}</ZIP>" in spec.document
    assert 'xmlns:e="urn:e"' in spec.document
    assert spec.headers == {"SOAPAction": '"urn:add"'}


def test_values_in_the_url_become_placeholders() -> None:
    spec = build_spec(COMMANDS["get_in_url"])
    assert spec.endpoints["production"] == (
        "https://example.com/track?email={{ email }}&zip={{ postal_code }}"
    )
    assert build_spec(COMMANDS["put"]).endpoints["production"] == (
        "https://example.com/people/{{ email }}"
    )


def test_a_number_that_was_written_as_text_stays_text() -> None:
    command = 'curl https://example.com -d \'{"age": "25", "Age": 25}\''
    document = json.loads(build_spec(command).document)
    assert document == {"age": "{{ age | append: '' }}", "Age": "{{ age }}"}
    assert get_body(build_command_request(command)) == {"age": "25", "Age": 25}

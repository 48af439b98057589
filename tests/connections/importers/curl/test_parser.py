"""Tests of the parsing of pasted curl commands."""

from __future__ import annotations

import json
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.core.request.builder import build_request
from connections.core.samples import sample_attributes
from connections.importers.curl import CurlError, ParsedCommand, parse_curl
from tests.connections.importers.curl.commands import (
    CHROME_FOR_CMD,
    COMMANDS,
    MAILCHIMP,
    NAMES,
    VALUES,
    build_command_request,
    build_spec,
    get_body,
)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_a_documented_command_is_parsed(command: str) -> None:
    assert build_command_request(command).url.startswith("https://")


def test_a_mailchimp_command_is_parsed_in_every_part() -> None:
    spec = build_spec(MAILCHIMP)
    assert spec.method == "POST"
    assert spec.endpoints == {
        "production": "https://us9.api.mailchimp.com/3.0/lists/abcdefghij/members"
        "?skip_merge_validation=false"
    }
    assert spec.authorization.to_settings() == {
        "username": "anystring",
        "password": "0123456789abcdef-us9",
    }
    assert (spec.encoding, spec.content_type) == ("json", "")
    assert json.loads(spec.document) == {
        "email_address": "{{ email }}",
        "status": "subscribed",
        "merge_fields": {"FNAME": "{{ first_name }}", "LNAME": "{{ last_name }}"},
    }
    assert spec.required == ("email",)


def test_the_plus_sign_of_a_telephone_number_is_kept() -> None:
    request = build_command_request("curl https://example.com -d 'phone=+17327572923&email=a@b.co'")
    assert request.body == b"phone=%2B17327572923&email=a%40b.co"


def test_quotes_of_the_windows_shell_are_removed() -> None:
    request = build_command_request(CHROME_FOR_CMD)
    assert request.url == "https://example.com/api/leads?a=1&b=2"
    assert request.body == b'{"email": "jo@example.com", "age": 25}'


def test_data_of_a_get_command_becomes_the_query_string() -> None:
    spec = build_spec(COMMANDS["get"])
    assert (spec.method, spec.encoding) == ("GET", "urlencoded")
    request = build_request(spec, sample_attributes(spec))
    assert request.url == "https://example.com/track?email=jo%40example.com&fname=Jo"


def test_numbers_keep_their_digits() -> None:
    assert (
        build_command_request(COMMANDS["digits"]).body
        == b'{"id": 2581697744617019994, "price": 2.50}'
    )


def test_a_byte_order_mark_before_a_json_body_is_dropped() -> None:
    spec = build_spec("curl https://crm.example --json '\ufeff{\"price\": 2.50}'")
    assert spec.document == '{\n  "price": 2.50\n}'


def test_ignored_parts_of_a_command_are_noted() -> None:
    parsed = parse_curl(
        "curl -sk --compressed -o out.json -H 'Cookie: a=b' -H 'Host: x' "
        "https://example.com/#top -d 'a=$LIST_ID' | jq ."
    )
    assert parsed.notes == (
        "Left out, as they say nothing about the request: -s, -k, --compressed, -o out.json.",
        "Left out, as it follows the command: | jq .",
        "Shell variables stand as they are; put in their values: $LIST_ID.",
        "Left out, as no server ever sees it: #top",
        "The header Cookie is left out: deliveries send no cookies.",
        "The header Host is set from the endpoint.",
    )


@pytest.mark.parametrize(
    ("command", "part", "message"),
    [
        ("wget https://example.com", "wget", "must begin with curl"),
        ("", "", "begins with curl"),
        ("curl 'https://example.com", "'https://example.com", "opens in line 1 is never closed"),
        ("curl \\\n -d \"a=b https://example.com", '"a=b https://example.com', "in line 2"),
        ("curl https://example.com --frobnicate", "--frobnicate", "not known here"),
        ("curl https://example.com -Z", "-Z", "not known here"),
        ("curl https://a.example https://b.example", "https://b.example", "two URLs"),
        ("curl -X POST -d a=b", "", "no URL"),
        ("curl https://example.com -d @lead.json", "--data @lead.json", "in a file"),
        ("curl https://example.com -F photo=@a.png", "photo=@a.png", "files can't be sent"),
        ("curl https://example.com -X", "-X", "value is missing"),
        ("curl -X OPTIONS https://example.com", "-X OPTIONS", "Must be one of"),
        ("curl -I https://example.com", "-I", "HEAD"),
        ("curl -T lead.json https://example.com", "-T lead.json", "--data"),
        ("curl --digest -u a:b https://example.com", "--digest", "not known here"),
        ("curl ftp://example.com -d a=b", "ftp://example.com", "Only https://"),
        ("curl https://example.com -H nonsense -d a=b", "nonsense", "Name: value"),
        ("curl https://example.com -d '{\"a\": 1,}'", "The body", "Not valid JSON in line 1"),
        ("curl https://example.com -d '{\"a\": 1, \"a\": 2}'", "The body", "twice"),
        ("curl https://x.example -H 'Content-Type: text/xml' -d '<a><b></a>'", "The body", "XML"),
        ("curl -X GET https://x.example -d '{\"a\": 1}'", "-X GET", "no body here"),
    ],
)  # fmt: skip
def test_an_invalid_command_is_refused_with_its_part(command: str, part: str, message: str) -> None:
    with pytest.raises(CurlError) as caught:
        parse_curl(command)
    assert caught.value.part == part
    assert message in caught.value.message


@given(st.dictionaries(NAMES, VALUES, max_size=5))
def test_a_json_body_is_kept_completely(members: dict[str, str]) -> None:
    command = f"curl https://example.com -d {shlex.quote(json.dumps(members))}"
    parsed: ParsedCommand = parse_curl(command)
    spec = parsed.spec({}, name="any")
    assert get_body(build_request(spec, {})) == members

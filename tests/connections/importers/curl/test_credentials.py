"""Tests of the credentials in pasted curl commands."""

from __future__ import annotations

import pytest

from connections.importers.curl import parse_curl
from tests.connections.importers.curl.commands import (
    BRAZE,
    HUBSPOT_OLD,
    KLAVIYO,
    MAILCHIMP,
    SENDY,
    SOAP,
    build_command_request,
    build_spec,
    get_body,
)


def test_a_key_with_a_prefix_and_the_content_type_are_kept() -> None:
    request = build_command_request(KLAVIYO)
    headers = dict(request.headers)
    assert headers["Authorization"] == "Klaviyo-API-Key pk_0123456789"
    assert headers["Content-Type"] == "application/vnd.api+json"
    assert headers["revision"] == "2026-01-15"
    assert get_body(request)["data"]["attributes"]["location"]["latitude"] == 42.0


def test_a_key_in_the_query_becomes_the_authorization() -> None:
    spec = build_spec(HUBSPOT_OLD)
    assert spec.endpoints["production"] == "https://api.hubapi.com/contacts/v1/contact"
    assert spec.authorization.to_settings() == {
        "location": "query", "name": "hapikey", "key": "0a1b2c3d",
    }  # fmt: skip


def test_a_key_in_the_body_becomes_a_named_credential() -> None:
    spec = build_spec(SENDY)
    assert spec.credentials == {"api_key": "abc123def"}
    assert spec.document.splitlines() == [
        "api_key={{ credentials.api_key }}",
        "name={{ first_name }} {{ last_name }}",
        "email={{ email }}",
        "list=kJ8d",
        "boolean=true",
    ]
    assert build_command_request(SENDY).body == (
        b"api_key=abc123def&name=Ben+Ho&email=ben%40example.com&list=kJ8d&boolean=true"
    )


def test_a_stand_in_for_a_credential_is_left_empty_and_noted() -> None:
    parsed = parse_curl(BRAZE)
    assert parsed.credentials.authorization.to_settings() == {}
    assert "Token: the command only has a stand-in for it. Enter the real one." in parsed.notes


@pytest.mark.parametrize(
    "stand_in",
    ["$API_KEY", "${API_KEY}", "<token>", "{api-key}", "YOUR_API_KEY", "your token here", "xxxx",
     "API_KEY", "[key]", "your-private-api-key", "••••", "<YOUR TOKEN>", "access_token"],
)  # fmt: skip
def test_a_stand_in_is_not_a_credential(stand_in: str) -> None:
    parsed = parse_curl(f"curl https://example.com -d a=b -H 'Authorization: Bearer {stand_in}'")
    assert parsed.credentials.authorization.secrets() == {}


def test_a_user_name_without_a_password_becomes_an_api_key() -> None:
    spec = build_spec("curl https://api.example.com/v1 -u sk_live_abc: -d email=jo@example.com")
    assert spec.authorization.kind == "api_key"
    assert (
        dict(build_command_request("curl https://a.example -u sk_live_abc: -d a=b").headers)[
            "Authorization"
        ]
        == "Basic c2tfbGl2ZV9hYmM6"
    )
    assert "sk_live_abc" not in str(spec.authorization)


def test_a_second_secret_becomes_a_named_credential() -> None:
    spec = build_spec(
        "curl https://example.com -H 'Authorization: Bearer t0k3n' -H 'X-App-Key: k3y' -d a=b"
    )
    assert spec.authorization.to_settings() == {"token": "t0k3n"}
    assert spec.headers == {"X-App-Key": "{{ credentials.x_app_key }}"}
    assert spec.credentials == {"x_app_key": "k3y"}


def test_no_part_of_a_parsed_command_shows_a_credential() -> None:
    secrets = ["0123456789abcdef-us9", "abc123def", "s3cr3t", "pk_0123456789"]
    texts = [
        f"{parsed.notes} {parsed.credentials.found} {parsed.candidates} "
        f"{parsed.url.with_templates({})} {parsed.headers}"
        for parsed in map(parse_curl, (MAILCHIMP, SENDY, SOAP, KLAVIYO))
    ]
    assert [secret for secret in secrets if any(secret in text for text in texts)] == []

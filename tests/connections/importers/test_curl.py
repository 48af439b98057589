"""Pasted curl commands: real ones from API documentation, all ways of quoting, and mistakes."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.core.messages import Request
from connections.core.request.builder import build_request
from connections.core.spec import ConnectionSpec
from connections.importers.curl import CurlError, ParsedCommand, parse_curl, to_curl
from connections.importers.files import sample_attributes

MAILCHIMP = """
curl -X POST \\
  'https://us9.api.mailchimp.com/3.0/lists/abcdefghij/members?skip_merge_validation=false' \\
  --user "anystring:0123456789abcdef-us9" \\
  -d '{"email_address":"urist@freddiesjokes.com","status":"subscribed",
       "merge_fields":{"FNAME":"Urist","LNAME":"McVankab"}}'
"""

KLAVIYO = """
curl --request POST \\
     --url https://a.klaviyo.com/api/profiles \\
     --header 'Authorization: Klaviyo-API-Key pk_0123456789' \\
     --header 'accept: application/vnd.api+json' \\
     --header 'content-type: application/vnd.api+json' \\
     --header 'revision: 2026-01-15' \\
     --data '
{
  "data": {
    "type": "profile",
    "attributes": {
      "email": "sarah.mason@klaviyo-demo.com",
      "phone_number": "+15005550006",
      "first_name": "Sarah",
      "location": {"zip": "94016", "region": "NY", "latitude": 42.0, "ip": "127.0.0.1"}
    }
  }
}
'
"""

HUBSPOT = """curl https://api.hubapi.com/crm/v3/objects/contacts \\
  --header 'authorization: Bearer pat-na1-1111' \\
  --header 'content-type: application/json' \\
  --data '{"properties": {"email": "example@hubspot.com", "firstname": "Jane", "lastname": "Doe",
    "phone": "(555) 555-5555", "company": "HubSpot"}}'"""

HUBSPOT_OLD = """curl -X POST 'https://api.hubapi.com/contacts/v1/contact?hapikey=0a1b2c3d' \\
  -H 'Content-Type: application/json' \\
  -d '{"properties": [{"property": "email", "value": "jo@example.com"},
                      {"property": "firstname", "value": "Jo"}]}'"""

ACTIVECAMPAIGN = """curl --request POST --url https://acme.api-us1.com/api/3/contacts \\
  --header 'Api-Token: 0123456789' --header 'accept: application/json' \\
  --header 'content-type: application/json' \\
  --data '{"contact":{"email":"johndoe@example.com","firstName":"John","lastName":"Doe",
  "phone":"7223224241","fieldValues":[{"field":"1","value":"The Value for First Field"}]}}'"""

SENDY = """curl -d "api_key=abc123def&name=Ben Ho&email=ben@example.com&list=kJ8d&boolean=true" \
https://sendy.example.com/subscribe"""

BRAZE = """curl --location --request POST 'https://rest.iad-01.braze.com/users/track' \\
--header 'Content-Type: application/json' --header 'Authorization: Bearer YOUR_REST_API_KEY' \\
--data-raw '{"attributes": [{"external_id": "user1", "email": "jo@example.com", "dob": "1988-02-14",
 "country": "US", "gender": "M"}]}'"""

MARKETO = """curl -X POST -H "Authorization: Bearer cdf01657-110d:int" \\
-H "Content-Type: application/json" \\
-d '{"action":"createOnly","lookupField":"email","input":[{"email":"kjashaedd-1@klooblept.com",
"firstName":"Kataldar-1","postalCode":"04828"}]}' \\
https://123-ABC-456.mktorest.com/rest/v1/leads.json"""

WEB_TO_LEAD = """curl 'https://webto.salesforce.com/servlet/servlet.WebToLead?encoding=UTF-8' \\
  -H 'Content-Type: application/x-www-form-urlencoded' \\
  --data-urlencode 'oid=00D000000000062' --data-urlencode 'first_name=Jo' \\
  --data-urlencode 'last_name=O+Hara' --data-urlencode 'email=jo@example.com' \\
  --data-urlencode 'phone=+1 732 757 2923'"""

SOAP = """curl -H 'Content-Type: text/xml; charset=utf-8' -H 'SOAPAction: "urn:add"' \\
 -u joe:s3cr3t \\
 -d '<?xml version="1.0"?><e:Envelope xmlns:e="urn:e"><e:Body><RECIPIENT id="5">
 <EMAIL>jo@example.com</EMAIL><ZIP>01234</ZIP></RECIPIENT></e:Body></e:Envelope>' \\
 https://api.example.com/XMLAPI"""

CHROME_FOR_CMD = (
    'curl ^"https://example.com/api/leads?a=1^&b=2^" ^\r\n'
    '  -H ^"content-type: application/json^" ^\r\n'
    '  -H ^"x-api-key: 9f8e7d6c^" ^\r\n'
    '  --data-raw ^"^{^\\^"email^\\^":^\\^"jo@example.com^\\^",^\\^"age^\\^":25^}^"'
)

COMMANDS = {
    "mailchimp": MAILCHIMP, "klaviyo": KLAVIYO, "hubspot": HUBSPOT, "hubspot_old": HUBSPOT_OLD,
    "activecampaign": ACTIVECAMPAIGN, "sendy": SENDY, "braze": BRAZE, "marketo": MARKETO,
    "web_to_lead": WEB_TO_LEAD, "soap": SOAP, "chrome_for_cmd": CHROME_FOR_CMD,
    "json_option": 'curl --json \'{"email": "jo@example.com"}\' https://example.com/leads',
    "get": "curl -G https://example.com/track -d email=jo@example.com -d fname=Jo -s",
    "get_in_url": "curl 'https://example.com/track?email=jo%40example.com&zip=01234'",
    "ansi": "curl https://example.com/ -d $'{\"note\": \"it\\'s\\u00e9\", \"email\": \"a@b.co\"}'",
    "form": "curl https://example.com/leads -F email=jo@example.com -F 'phone=+1 732 757 2923'",
    "put": "curl -sSLX PUT https://example.com/people/jo@example.com -d '{\"first_name\": \"Jo\"}'",
    "text": "curl https://example.com -H 'Content-Type: text/plain' -d 'Lead: jo@example.com, Jo'",
    "prompt": "$ curl -XPOST https://example.com -d'email=jo@example.com'",
    "powershell": "curl -X POST `\n  https://example.com `\n  -d 'email=jo@example.com'",
    "assignment": "KEY=1 /usr/bin/curl --url=https://example.com --data=email=jo@example.com",
    "user_in_url": "curl https://joe:s3cr3t@example.com/leads -d email=jo@example.com",
    "oauth_bearer": "curl --oauth2-bearer abc123 https://example.com -d email=jo@example.com",
    "digits": "curl https://example.com -d '{\"id\": 2581697744617019994, \"price\": 2.50}'",
}  # fmt: skip


def build_spec(command: str) -> ConnectionSpec:
    reading = parse_curl(command)
    return reading.spec(reading.guessed(), name="any")


def sent(command: str) -> Request:
    spec = build_spec(command)
    return build_request(spec, sample_attributes(spec))


def get_body(request: Request) -> Any:
    return json.loads(request.body)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_real_commands_are_read_without_an_error(command: str) -> None:
    assert sent(command).url.startswith("https://")


def test_mailchimp_is_recognised_in_every_part() -> None:
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


def test_what_was_replaced_becomes_the_sample_so_that_the_same_request_is_sent() -> None:
    assert get_body(sent(MAILCHIMP)) == {
        "email_address": "urist@freddiesjokes.com",
        "status": "subscribed",
        "merge_fields": {"FNAME": "Urist", "LNAME": "McVankab"},
    }


def test_a_key_with_a_prefix_and_another_content_type_are_kept() -> None:
    request = sent(KLAVIYO)
    headers = dict(request.headers)
    assert headers["Authorization"] == "Klaviyo-API-Key pk_0123456789"
    assert headers["Content-Type"] == "application/vnd.api+json"
    assert headers["revision"] == "2026-01-15"
    assert get_body(request)["data"]["attributes"]["location"]["latitude"] == 42.0


def test_names_beside_values_tell_what_the_values_are() -> None:
    spec = build_spec(HUBSPOT_OLD)
    assert json.loads(spec.document)["properties"] == [
        {"property": "email", "value": "{{ email }}"},
        {"property": "firstname", "value": "{{ first_name }}"},
    ]


def test_a_key_in_the_query_is_an_authorization_and_leaves_the_url() -> None:
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
    assert sent(SENDY).body == (
        b"api_key=abc123def&name=Ben+Ho&email=ben%40example.com&list=kJ8d&boolean=true"
    )


def test_a_stand_in_for_a_credential_is_left_empty_and_said() -> None:
    reading = parse_curl(BRAZE)
    assert reading.credentials.authorization.to_settings() == {}
    assert "Token: the command only has a stand-in for it. Enter the real one." in reading.notes


@pytest.mark.parametrize(
    "stand_in",
    ["$API_KEY", "${API_KEY}", "<token>", "{api-key}", "YOUR_API_KEY", "your token here", "xxxx",
     "API_KEY", "[key]", "your-private-api-key", "••••", "<YOUR TOKEN>", "access_token"],
)  # fmt: skip
def test_stand_ins_are_no_credentials(stand_in: str) -> None:
    reading = parse_curl(f"curl https://example.com -d a=b -H 'Authorization: Bearer {stand_in}'")
    assert reading.credentials.authorization.secrets() == {}


def test_plus_signs_of_documented_telephone_numbers_survive() -> None:
    request = sent("curl https://example.com -d 'phone=+17327572923&email=a@b.co'")
    assert request.body == b"phone=%2B17327572923&email=a%40b.co"


def test_xml_keeps_its_namespaces_and_gets_placeholders() -> None:
    spec = build_spec(SOAP)
    assert (spec.encoding, spec.content_type) == ("xml", "text/xml; charset=utf-8")
    assert "<EMAIL>{{ email }}</EMAIL><ZIP>{{ postal_code }}</ZIP>" in spec.document
    assert 'xmlns:e="urn:e"' in spec.document
    assert spec.headers == {"SOAPAction": '"urn:add"'}


def test_windows_quoting_is_undone() -> None:
    request = sent(CHROME_FOR_CMD)
    assert request.url == "https://example.com/api/leads?a=1&b=2"
    assert request.body == b'{"email": "jo@example.com", "age": 25}'


def test_get_with_data_becomes_the_query_string() -> None:
    spec = build_spec(COMMANDS["get"])
    assert (spec.method, spec.encoding) == ("GET", "urlencoded")
    request = build_request(spec, sample_attributes(spec))
    assert request.url == "https://example.com/track?email=jo%40example.com&fname=Jo"


def test_values_in_the_url_become_placeholders() -> None:
    spec = build_spec(COMMANDS["get_in_url"])
    assert spec.endpoints["production"] == (
        "https://example.com/track?email={{ email }}&zip={{ postal_code }}"
    )
    assert build_spec(COMMANDS["put"]).endpoints["production"] == (
        "https://example.com/people/{{ email }}"
    )


def test_numbers_keep_their_digits() -> None:
    assert sent(COMMANDS["digits"]).body == b'{"id": 2581697744617019994, "price": 2.50}'


def test_a_number_that_was_written_as_text_stays_text() -> None:
    command = 'curl https://example.com -d \'{"age": "25", "Age": 25}\''
    document = json.loads(build_spec(command).document)
    assert document == {"age": "{{ age | append: '' }}", "Age": "{{ age }}"}
    assert get_body(sent(command)) == {"age": "25", "Age": 25}


def test_user_name_without_password_is_a_key_and_never_shown() -> None:
    spec = build_spec("curl https://api.example.com/v1 -u sk_live_abc: -d email=jo@example.com")
    assert spec.authorization.kind == "api_key"
    assert (
        dict(sent("curl https://a.example -u sk_live_abc: -d a=b").headers)["Authorization"]
        == "Basic c2tfbGl2ZV9hYmM6"
    )
    assert "sk_live_abc" not in str(spec.authorization)


def test_a_second_proof_becomes_a_named_credential() -> None:
    spec = build_spec(
        "curl https://example.com -H 'Authorization: Bearer t0k3n' -H 'X-App-Key: k3y' -d a=b"
    )
    assert spec.authorization.to_settings() == {"token": "t0k3n"}
    assert spec.headers == {"X-App-Key": "{{ credentials.x_app_key }}"}
    assert spec.credentials == {"x_app_key": "k3y"}


def test_what_becomes_no_part_is_named() -> None:
    reading = parse_curl(
        "curl -sk --compressed -o out.json -H 'Cookie: a=b' -H 'Host: x' "
        "https://example.com/#top -d 'a=$LIST_ID' | jq ."
    )
    assert reading.notes == (
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
def test_what_is_not_understood_is_named(command: str, part: str, message: str) -> None:
    with pytest.raises(CurlError) as caught:
        parse_curl(command)
    assert caught.value.part == part
    assert message in caught.value.message


def test_no_part_of_a_reading_shows_a_credential() -> None:
    secrets = ["0123456789abcdef-us9", "abc123def", "s3cr3t", "pk_0123456789"]
    shown = [
        f"{reading.notes} {reading.credentials.found} {reading.candidates} "
        f"{reading.url.with_templates({})} {reading.headers}"
        for reading in map(parse_curl, (MAILCHIMP, SENDY, SOAP, KLAVIYO))
    ]
    assert [secret for secret in secrets if any(secret in text for text in shown)] == []


NAMES = st.text("abcdefgh_-", min_size=1, max_size=8)
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20).filter(
    lambda text: "{{" not in text and "{%" not in text
)


@given(st.dictionaries(NAMES, VALUES, max_size=5))
def test_nothing_of_a_json_body_is_lost(members: dict[str, str]) -> None:
    command = f"curl https://example.com -d {shlex.quote(json.dumps(members))}"
    reading: ParsedCommand = parse_curl(command)
    spec = reading.spec({}, name="any")
    assert get_body(build_request(spec, {})) == members


@given(st.dictionaries(NAMES, VALUES, min_size=2, max_size=5))
def test_a_written_command_reads_back_as_the_same_request(members: dict[str, str]) -> None:
    spec = ConnectionSpec(
        name="any",
        endpoints={"production": "https://example.com/leads?x=1"},
        headers={"X-Note": "it's"},
        document=json.dumps(members),
        idempotency_header="",
    )
    request = build_request(spec, {})
    again = parse_curl(to_curl(request)).spec({}, name="any")
    rebuilt = build_request(again, {})
    assert (rebuilt.method, rebuilt.url) == (request.method, request.url)
    assert get_body(rebuilt) == get_body(request) == members
    assert dict(rebuilt.headers)["X-Note"] == "it's"

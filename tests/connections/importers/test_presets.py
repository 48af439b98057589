"""Tests of the presets."""

from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from connections.core.attributes import examples
from connections.core.connection_check import check_connection
from connections.core.request.builder import build_request
from connections.core.response.outcomes import Outcome
from connections.core.spec import ConnectionSpec
from connections.importers.files import dump_connection, load_connection
from tests.connections.importers.presets import PRESETS, SECRET, get_preset, load_preset


def without_rule(spec: ConnectionSpec, index: int) -> ConnectionSpec:
    rules = spec.response_handling.rules[:index] + spec.response_handling.rules[index + 1 :]
    return replace(spec, response_handling=replace(spec.response_handling, rules=rules))


def misread_names(spec: ConnectionSpec) -> list[str]:
    return [row.name for row in check_connection(spec).responses if not row.is_good]


@pytest.fixture(params=PRESETS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    preset_path: Path = request.param
    return preset_path


@pytest.fixture
def spec(path: Path) -> ConnectionSpec:
    return load_preset(path)


def test_every_documented_api_has_a_preset() -> None:
    assert [path.stem for path in PRESETS] == [
        "acoustic_add_recipient",
        "activecampaign_contact",
        "boberdoo_lead",
        "braze_users_track",
        "constant_contact_sign_up",
        "hubspot_contact",
        "klaviyo_profile",
        "mailchimp_add_member",
        "mailchimp_upsert_member",
        "marketo_lead",
        "salesforce_lead",
        "salesforce_web_to_lead",
        "sendy_subscribe",
    ]


def test_every_documented_response_has_its_expected_outcome(spec: ConnectionSpec) -> None:
    check = check_connection(spec)

    assert [(row.name, row.actual) for row in check.responses] == [
        (expected.name, expected.outcome) for expected in spec.expected_responses
    ]
    assert check.is_good


def test_every_preset_documents_success_refused_credentials_and_a_server_error(
    path: Path, spec: ConnectionSpec
) -> None:
    outcomes = {expected.outcome for expected in spec.expected_responses}
    missing = {Outcome.DELIVERED, Outcome.UNAUTHORIZED, Outcome.UNAVAILABLE} - outcomes
    has_server_error = any(expected.status >= 500 for expected in spec.expected_responses)
    explains_why_not = "nothing to be\n# unauthorized for" in path.read_text(encoding="utf-8")

    assert missing == ({Outcome.UNAUTHORIZED} if explains_why_not else set())
    assert has_server_error


def test_every_rule_matches_a_documented_response(spec: ConnectionSpec) -> None:
    used = {row.classification.rule for row in check_connection(spec).responses} - {None}

    assert used == set(range(len(spec.response_handling.rules)))


def test_no_rule_can_be_left_out(spec: ConnectionSpec) -> None:
    for index, rule in enumerate(spec.response_handling.rules):
        # A rule for delivered also excludes every other 2xx, which may not be documented.
        if rule.outcome is not Outcome.DELIVERED:
            assert misread_names(without_rule(spec, index)), f"{rule} changes nothing"


def test_a_dumped_preset_is_loaded_unchanged(spec: ConnectionSpec) -> None:
    assert load_connection(dump_connection(spec), lambda _: SECRET) == spec


def test_every_preset_has_a_documentation_link_and_one_endpoint_with_https(
    spec: ConnectionSpec,
) -> None:
    assert spec.documentation.startswith("https://")
    assert list(spec.endpoints) == ["production"]
    assert spec.endpoints["production"].startswith("https://")


def test_the_check_of_a_preset_shows_no_credential(spec: ConnectionSpec) -> None:
    assert SECRET not in str(check_connection(spec).to_json())


def test_a_request_can_be_built_from_the_required_attributes_alone(spec: ConnectionSpec) -> None:
    required = {name: value for name, value in examples().items() if name in spec.required}
    body = build_request(spec, required).body.decode()

    assert "john.smith@example.com" in body.replace("%40", "@")
    assert "{{" not in body
    assert "null" not in body


@pytest.mark.parametrize(
    ("preset", "outcome", "responses"),
    [
        ("mailchimp_add_member", Outcome.DUPLICATE, ["Already a member"]),
        ("mailchimp_upsert_member", Outcome.DUPLICATE, ["Already a member, all the same"]),
        ("hubspot_contact", Outcome.DUPLICATE, ["Already a contact"]),
        ("klaviyo_profile", Outcome.DUPLICATE, ["Already a profile"]),
        ("activecampaign_contact", Outcome.DUPLICATE, ["Already a contact"]),
        ("constant_contact_sign_up", Outcome.DUPLICATE, ["Already a contact, updated"]),
        (
            "constant_contact_sign_up",
            Outcome.UNAVAILABLE,
            ["Edited by somebody else at this moment"],
        ),
        ("salesforce_lead", Outcome.THROTTLED, ["Limit of 24 hours reached"]),
        ("braze_users_track", Outcome.REJECTED, ["Partial success: the user is not taken"]),
        ("marketo_lead", Outcome.DUPLICATE, ["Already a lead"]),
        ("sendy_subscribe", Outcome.DUPLICATE, ["Already subscribed"]),
        ("acoustic_add_recipient", Outcome.DUPLICATE, ["Already a recipient (not documented)"]),
        (
            "boberdoo_lead",
            Outcome.DUPLICATE,
            [
                "Duplicate (the wording differs)",
                "Not sold, for it is a duplicate (the wording differs)",
            ],
        ),
        (
            "marketo_lead",
            Outcome.UNAUTHORIZED,
            ["Token missing", "Token invalid", "Token expired", "Access denied"],
        ),
    ],
)
def test_a_missing_rule_makes_its_responses_misread(
    preset: str, outcome: Outcome, responses: list[str]
) -> None:
    spec = get_preset(preset)
    index = next(
        i for i, rule in enumerate(spec.response_handling.rules) if rule.outcome is outcome
    )

    assert misread_names(without_rule(spec, index)) == responses


def test_mailchimp_names_a_person_by_the_md5_of_the_lower_case_address() -> None:
    attributes = {"email": "Urist.McVankab@Freddiesjokes.com"}
    request = build_request(get_preset("mailchimp_upsert_member"), attributes)

    assert request.method == "PUT"
    assert request.url.endswith("/members/62eeb292278cc15f5817cb78f7790b08")


def test_salesforce_web_to_lead_keeps_the_plus_of_a_telephone_number() -> None:
    body = check_connection(get_preset("salesforce_web_to_lead")).to_json()["request"]["body"]

    assert "phone=%2B17327572923&" in body
    assert "zip=01234&" in body


def test_acoustic_escapes_values_in_xml() -> None:
    attributes = {"email": "jo@example.com", "last_name": "Smith & <Söhne>"}
    body = build_request(get_preset("acoustic_add_recipient"), attributes).body
    values = etree.fromstring(body).iterfind(".//VALUE")

    assert [value.text for value in values] == ["jo@example.com", None, "Smith & <Söhne>"]


def test_klaviyo_leaves_out_empty_values() -> None:
    request = build_request(
        get_preset("klaviyo_profile"), {"email": "jo@example.com", "mobile": ""}
    )

    assert request.body == (
        b'{"data": {"type": "profile", "attributes": {"email": "jo@example.com", "location": {}}}}'
    )
    assert ("Authorization", f"Klaviyo-API-Key {SECRET}") in request.headers


def test_braze_is_retried_when_its_rate_limit_resets() -> None:
    rows = {row.name: row for row in check_connection(get_preset("braze_users_track")).responses}

    assert rows["Too many requests"].classification.retry_after == 30.0


def test_boberdoo_lead_ids_keep_all_their_digits() -> None:
    rows = {row.name: row for row in check_connection(get_preset("boberdoo_lead")).responses}

    assert rows["Sold"].classification.reference == "1234567890123456789"


def test_a_boberdoo_value_that_ends_in_key_is_read_like_other_invalid_data() -> None:
    spec = get_preset("boberdoo_lead")
    response = replace(
        next(row for row in spec.expected_responses if row.name == "Invalid data"),
        body="<response><status>Error</status><error>Invalid Data In: Turkey</error></response>",
    )

    assert misread_names(replace(spec, expected_responses=(response,))) == []

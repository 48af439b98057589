"""Every preset reads every answer that its CRM documents as it should, with no rule too many."""

from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

import connections
from connections.core.attributes import examples
from connections.core.request.builder import build_request
from connections.core.response.outcomes import Outcome
from connections.core.spec import ConnectionSpec
from connections.importers.files import check_connection, dump_connection, load_connection

PRESETS = sorted(Path(connections.__file__).parent.glob("importers/presets/*.toml"))
SECRET = "a-credential-of-nobody"


def load(path: Path) -> ConnectionSpec:
    return load_connection(path.read_text(encoding="utf-8"), lambda _: SECRET)


def named(stem: str) -> ConnectionSpec:
    return load(next(path for path in PRESETS if path.stem == stem))


def without_rule(spec: ConnectionSpec, index: int) -> ConnectionSpec:
    rules = spec.reading.rules[:index] + spec.reading.rules[index + 1 :]
    return replace(spec, reading=replace(spec.reading, rules=rules))


def misread(spec: ConnectionSpec) -> list[str]:
    return [row.name for row in check_connection(spec).responses if not row.is_good]


@pytest.fixture(params=PRESETS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture
def spec(path: Path) -> ConnectionSpec:
    return load(path)


def test_there_is_a_preset_for_every_documented_api() -> None:
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


def test_every_documented_answer_is_read_as_it_should_be(spec: ConnectionSpec) -> None:
    check = check_connection(spec)

    assert [(row.name, row.actual) for row in check.responses] == [
        (expected.name, expected.outcome) for expected in spec.expected_responses
    ]
    assert check.is_good


def test_success_refused_credentials_and_server_errors_are_among_the_answers(
    path: Path, spec: ConnectionSpec
) -> None:
    outcomes = {expected.outcome for expected in spec.expected_responses}
    missing = {Outcome.DELIVERED, Outcome.UNAUTHORIZED, Outcome.UNAVAILABLE} - outcomes
    has_server_error = any(expected.status >= 500 for expected in spec.expected_responses)
    says_why = "nothing to be\n# unauthorized for" in path.read_text(encoding="utf-8")

    assert missing == ({Outcome.UNAUTHORIZED} if says_why else set())
    assert has_server_error


def test_every_rule_reads_at_least_one_documented_answer(spec: ConnectionSpec) -> None:
    used = {row.classification.rule for row in check_connection(spec).responses} - {None}

    assert used == set(range(len(spec.reading.rules)))


def test_no_rule_can_be_left_out(spec: ConnectionSpec) -> None:
    for index, rule in enumerate(spec.reading.rules):
        # A rule for delivered also says that no other 2xx is, which no documented answer may show.
        if rule.outcome is not Outcome.DELIVERED:
            assert misread(without_rule(spec, index)), f"{rule} changes nothing"


def test_comes_back_from_its_own_dump(spec: ConnectionSpec) -> None:
    assert load_connection(dump_connection(spec), lambda _: SECRET) == spec


def test_has_a_link_and_an_endpoint_with_https(spec: ConnectionSpec) -> None:
    assert spec.documentation.startswith("https://")
    assert list(spec.endpoints) == ["production"]
    assert spec.endpoints["production"].startswith("https://")


def test_never_shows_a_credential(spec: ConnectionSpec) -> None:
    assert SECRET not in str(check_connection(spec).to_json())


def test_can_be_built_from_the_required_attributes_alone(spec: ConnectionSpec) -> None:
    required = {name: value for name, value in examples().items() if name in spec.required}
    body = build_request(spec, required).body.decode()

    assert "john.smith@example.com" in body.replace("%40", "@")
    assert "{{" not in body
    assert "null" not in body


@pytest.mark.parametrize(
    ("preset", "outcome", "answers"),
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
def test_a_missing_rule_is_told_by_the_answers_that_it_misreads(
    preset: str, outcome: Outcome, answers: list[str]
) -> None:
    spec = named(preset)
    index = next(i for i, rule in enumerate(spec.reading.rules) if rule.outcome is outcome)

    assert misread(without_rule(spec, index)) == answers


def test_mailchimp_names_a_person_by_the_md5_of_the_lower_case_address() -> None:
    attributes = {"email": "Urist.McVankab@Freddiesjokes.com"}
    request = build_request(named("mailchimp_upsert_member"), attributes)

    assert request.method == "PUT"
    assert request.url.endswith("/members/62eeb292278cc15f5817cb78f7790b08")


def test_salesforce_web_to_lead_keeps_the_plus_of_a_telephone_number() -> None:
    body = check_connection(named("salesforce_web_to_lead")).to_json()["request"]["body"]

    assert "phone=%2B17327572923&" in body
    assert "zip=01234&" in body


def test_acoustic_escapes_what_xml_would_misread() -> None:
    attributes = {"email": "jo@example.com", "last_name": "Smith & <Söhne>"}
    body = build_request(named("acoustic_add_recipient"), attributes).body
    values = etree.fromstring(body).iterfind(".//VALUE")

    assert [value.text for value in values] == ["jo@example.com", None, "Smith & <Söhne>"]


def test_klaviyo_leaves_out_what_null_would_clear() -> None:
    request = build_request(named("klaviyo_profile"), {"email": "jo@example.com", "mobile": ""})

    assert request.body == (
        b'{"data": {"type": "profile", "attributes": {"email": "jo@example.com", "location": {}}}}'
    )
    assert ("Authorization", f"Klaviyo-API-Key {SECRET}") in request.headers


def test_braze_is_asked_again_when_its_limit_begins_anew() -> None:
    rows = {row.name: row for row in check_connection(named("braze_users_track")).responses}

    assert rows["Too many requests"].classification.retry_after == 30.0


def test_boberdoo_lead_ids_stay_exact() -> None:
    rows = {row.name: row for row in check_connection(named("boberdoo_lead")).responses}

    assert rows["Sold"].classification.reference == "1234567890123456789"


def test_boberdoo_field_that_ends_in_key_holds_nothing_up() -> None:
    spec = named("boberdoo_lead")
    answer = replace(
        next(row for row in spec.expected_responses if row.name == "Invalid data"),
        body="<response><status>Error</status><error>Invalid Data In: Turkey</error></response>",
    )

    assert misread(replace(spec, expected_responses=(answer,))) == []

"""Tests of dumping connections to TOML files."""

from dataclasses import replace
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connections.core.request.authorization.static import ApiKey, Basic, Bearer
from connections.core.request.bodies import EmptyValues
from connections.core.response.matching import ResponseHandling
from connections.core.response.outcomes import Outcome
from connections.core.response.retry_after import RetryAfter, RetryAfterUnit
from connections.core.response.rules import Rule
from connections.core.spec import ConnectionSpec, DocumentedResponse, Limits, OnUnknown
from connections.importers.files import dump_connection, load_connection

FULL = ConnectionSpec(
    name="Full CRM",
    documentation="https://crm.example.com/docs",
    method="PATCH",
    endpoints={"production": "https://crm.example.com/a", "testing": "https://crm.example.com/b"},
    authorization=ApiKey(location="query", name="key", prefix="K", key="secret"),
    credentials={"tenant": "secret", "later": ""},
    headers={"Accept": "application/json", "X-Odd Name": "1"},
    encoding="xml",
    document="<a>\n  <b>{{ email }}</b>\n</a>\n",
    content_type="text/xml",
    required=("email", "mobile"),
    empty_values=EmptyValues.EMPTY,
    idempotency_header="",
    response_handling=ResponseHandling(
        rules=(
            Rule(status="2xx", outcome=Outcome.DELIVERED),
            Rule(
                where="header",
                path="X-A",
                operator="one_of",
                value=("a", "b"),
                ignore_case=True,
                outcome=Outcome.DUPLICATE,
            ),
            Rule(where="json", path="a", operator="absent", outcome=Outcome.REJECTED),
        ),
        reason="//error",
        reference="id",
        wait=RetryAfter(where="json", path="wait", unit=RetryAfterUnit.MILLISECONDS),
    ),
    expected_responses=(
        DocumentedResponse(
            name="A", status=200, headers=(("X-A", "1"),), body="", outcome=Outcome.DELIVERED
        ),
        DocumentedResponse(name="B", status=500, body="x", outcome=Outcome.UNAVAILABLE),
    ),
    sample={"age": 30, "amount": "2.50", "email": "jo@example.com"},
    limits=Limits(total_timeout=9.5, in_flight=1, per_second=2.0, schedule=(0.0, 60.0)),
    on_unknown=OnUnknown.HOLD,
)


def load(text: str) -> ConnectionSpec:
    return load_connection(text, lambda _: "secret")


def test_a_dumped_connection_is_loaded_unchanged() -> None:
    assert load(dump_connection(FULL)) == FULL


def test_a_loaded_file_is_dumped_unchanged() -> None:
    text = dump_connection(FULL)

    assert dump_connection(load(text)) == text


def test_a_dumped_file_is_laid_out_for_people() -> None:
    spec = ConnectionSpec(
        name="My CRM",
        endpoints={"production": "https://crm.example.com"},
        authorization=Bearer(token="secret"),
        document='{\n  "email": "{{ email }}"\n}\n',
        response_handling=ResponseHandling(rules=(Rule(status="200", outcome=Outcome.DELIVERED),)),
        expected_responses=(
            DocumentedResponse(
                name="Created",
                status=200,
                headers=(("Content-Type", "application/json"),),
                body="""{"text": "it's there"}""",
                outcome=Outcome.DELIVERED,
            ),
        ),
    )

    assert dump_connection(spec) == dedent(
        """\
        name = "My CRM"
        method = "POST"
        empty_values = "omit"

        [endpoints]
        production = "https://crm.example.com"

        [authorization]
        kind = "bearer"
        token = "env:MY_CRM_TOKEN"

        [body]
        encoding = "json"
        document = '''
        {
          "email": "{{ email }}"
        }
        '''

        [[rules]]
        status = "200"
        outcome = "delivered"

        [[expected_responses]]
        name = "Created"
        status = 200
        headers = {Content-Type = "application/json"}
        body = '''{"text": "it's there"}'''
        outcome = "delivered"
        """
    )


def test_a_dumped_file_contains_no_credential() -> None:
    spec = replace(
        FULL,
        authorization=Basic(username="me", password="hunter2"),
        credentials={"key": "hunter3"},
    )
    text = dump_connection(spec)

    assert "hunter" not in text
    assert 'password = "env:FULL_CRM_PASSWORD"' in text
    assert 'key = "env:FULL_CRM_KEY"' in text


def test_every_credential_has_a_unique_reference() -> None:
    spec = ConnectionSpec(
        name="CRM",
        authorization=Bearer(token="1"),
        credentials={"token": "2", "api-key": "3", "api_key": "4", "é": "5", "none": ""},
    )
    by_name = {"CRM_TOKEN": "1", "CRM_TOKEN_2": "2", "CRM_API_KEY": "3", "CRM_API_KEY_2": "4"}

    loaded = load_connection(dump_connection(spec), lambda name: by_name.get(name, "5"))

    assert (loaded.authorization, loaded.credentials) == (spec.authorization, spec.credentials)


@pytest.mark.parametrize(
    ("prefix", "reference"),
    [
        ("", "env:M_LLER_CO_TOKEN"),
        ("staging crm", "env:STAGING_CRM_TOKEN"),
        ("9 lives", "env:_9_LIVES_TOKEN"),
        ("…", "env:CONNECTION_TOKEN"),
    ],
)
def test_references_start_with_the_prefix_or_the_name(prefix: str, reference: str) -> None:
    spec = ConnectionSpec(name="Müller & Co.", authorization=Bearer(token="secret"))

    assert f'token = "{reference}"' in dump_connection(spec, prefix)


def test_an_idempotency_header_that_is_turned_off_is_dumped_as_empty() -> None:
    spec = ConnectionSpec(name="CRM", idempotency_header="")

    assert 'idempotency_header = ""' in dump_connection(spec)
    assert load(dump_connection(spec)) == spec


def test_a_sample_without_a_value_is_left_out() -> None:
    spec = ConnectionSpec(name="CRM", sample={"email": None, "age": 0})

    assert load(dump_connection(spec)).sample == {"age": 0}


AWKWARD_TEXTS = st.text(
    st.one_of(
        st.sampled_from("'\"\\\n\r\t {}#=.[]\x00\x07\x1b\x7f\x85\u2028\u00a0\ufeffé🎉"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=12,
)


@given(text=AWKWARD_TEXTS, body=AWKWARD_TEXTS, name=AWKWARD_TEXTS)
@settings(
    max_examples=100, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
def test_every_text_is_loaded_unchanged_in_every_field(text: str, body: str, name: str) -> None:
    spec = ConnectionSpec(
        name=f"x{text}",
        endpoints={"production": text},
        headers={name: body},
        document=body,
        credentials={name: "secret"},
        sample={name: text},
        expected_responses=(
            DocumentedResponse(
                name=f"x{name}",
                status=200,
                headers=((name, text),),
                body=body,
                outcome=Outcome.DELIVERED,
            ),
        ),
    )

    assert load(dump_connection(spec)) == spec


@pytest.mark.parametrize(
    "text",
    [
        "\n",
        "\n\n{\n}",
        "'''",
        "a\n'''\nb",
        "a\nb'",
        'it\'s\n"quoted"\n',
        "''' \"\"\"",
        '"""\n',
        "a\\\nb",
        "\ttabbed\n\ttwice\n",
        "one\r\ntwo\rthree",
        "\x00\x1b[31m",
        "\u2019\u2028 \u00a0",
        " 'x' ",
    ],
)
def test_a_document_is_loaded_unchanged(text: str) -> None:
    spec = ConnectionSpec(name="CRM", document=text)

    assert load(dump_connection(spec)).document == text


def test_a_document_of_several_lines_is_dumped_as_a_multiline_string() -> None:
    document = """{\n\t"note": "it's"\n}"""

    text = dump_connection(ConnectionSpec(name="CRM", document=document))

    assert f"document = '''\n{document}'''" in text

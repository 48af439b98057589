"""Tests of the request builder."""

import pytest

from connections.core.errors import BuildError, DescriptionError
from connections.core.messages import Request
from connections.core.request.authorization.static import ApiKey, Basic
from connections.core.request.builder import USER_AGENT, RequestBuilder, build_request
from connections.core.values import ExactNumber
from tests.connections.core.factories import URL, build, header, spec


def build_url(endpoint: str, **attributes: object) -> str:
    credentials = {"dc": "us9", "list": "a/b"}
    return build(attributes, endpoints={"production": endpoint}, credentials=credentials).url


def build_query_url(endpoint: str, document: str, **attributes: object) -> str:
    request = build(
        attributes,
        method="GET",
        encoding="urlencoded",
        document=document,
        endpoints={"production": endpoint},
    )
    assert request.body == b""
    assert header(request, "Content-Type") is None
    return request.url


def test_a_request_is_built_in_every_part() -> None:
    described = spec(
        method="PUT",
        endpoints={"production": "https://us9.crm.example:8443/m/{{ email | downcase | md5 }}?x=1"},
        authorization=Basic(username="any", password="key"),
        headers={
            "Accept": "application/json",
            "X-Source": "{{ source }}",
            "X-Empty": "{{ missing }}",
        },
        document='{"email": "{{ email }}", "price": "{{ price }}"}',
        required=("email",),
    )
    attributes = {"email": "Jo@Example.com", "source": " web ", "price": ExactNumber("2.50")}
    body = b'{"email": "Jo@Example.com", "price": 2.50}'
    assert build_request(described, attributes, idempotency_key="17") == Request(
        method="PUT",
        url="https://us9.crm.example:8443/m/eb9e0867a6ecd7e9c79c332596e631bc?x=1",
        headers=(
            ("Host", "us9.crm.example:8443"),
            ("Content-Type", "application/json"),
            ("Idempotency-Key", "17"),
            ("User-Agent", USER_AGENT),
            ("Accept-Encoding", "gzip, deflate"),
            ("Accept", "application/json"),
            ("X-Source", "web"),
            ("Authorization", "Basic YW55OmtleQ=="),
            ("Content-Length", str(len(body))),
        ),
        body=body,
    )


@pytest.mark.parametrize(
    ("method", "document", "length"),
    [
        ("GET", "", None),
        ("POST", "", "0"),
        ("DELETE", "", "0"),
        ("PATCH", "[1]", "3"),
        ("PUT", "é", "2"),
    ],
)
def test_the_content_length_counts_bytes_and_is_absent_from_a_get_request(
    method: str, document: str, length: str | None
) -> None:
    request = build(method=method, encoding="text", document=document)
    assert header(request, "Content-Length") == length
    assert (header(request, "Content-Type") is not None) is bool(document)


@pytest.mark.parametrize(
    ("encoding", "document", "content_type", "sent"),
    [
        ("json", "[]", "", "application/json"),
        ("urlencoded", "a=1", "", "application/x-www-form-urlencoded"),
        ("text", "a", "", "text/plain; charset=utf-8"),
        ("xml", "<a/>", "", "application/xml; charset=utf-8"),
        ("xml", "<a/>", "text/xml", "text/xml"),
        ("json", "[]", "application/vnd.api+json", "application/vnd.api+json"),
    ],
)
def test_a_body_has_the_content_type_of_its_encoding_or_of_the_connection(
    encoding: str, document: str, content_type: str, sent: str
) -> None:
    request = build(encoding=encoding, document=document, content_type=content_type)
    assert header(request, "Content-Type") == sent


@pytest.mark.parametrize(
    ("endpoint", "attributes", "built"),
    [
        (URL, {}, URL),
        (f"  {URL}\n", {}, URL),
        ("http://crm.example", {}, "http://crm.example"),
        (
            "https://crm.example/{{ v }}/x",
            {"v": "a/b?c#d&e=é"},
            "https://crm.example/a%2Fb%3Fc%23d%26e%3D%C3%A9/x",
        ),
        (
            "https://crm.example/?q={{ v }}&r=1",
            {"v": "+ &"},
            "https://crm.example/?q=%2B%20%26&r=1",
        ),
        (
            "https://crm.example/{{ v }}",
            {"v": "@evil.example"},
            "https://crm.example/%40evil.example",
        ),
        ("https://crm.example/{{ v }}", {"v": "\r\n\0"}, "https://crm.example/%0D%0A%00"),
        ("https://crm.example/{{ v }}", {"v": ExactNumber("2.50")}, "https://crm.example/2.50"),
        ("https://crm.example/a#part", {}, "https://crm.example/a"),
        (
            "https://{{ credentials.dc }}.crm.example/{{ credentials.list }}",
            {},
            "https://us9.crm.example/a%2Fb",
        ),
        ("https://crm.example/{{ v | default: '/' }}", {}, "https://crm.example/%2F"),
        ("https://crm.example/{% if v %}yes{% endif %}?a", {"v": "x"}, "https://crm.example/yes?a"),
        ("https://crm.example/..x/.y/%C3%BC", {}, "https://crm.example/..x/.y/%C3%BC"),
    ],
)
def test_no_value_changes_the_structure_of_the_url(
    endpoint: str, attributes: dict[str, object], built: str
) -> None:
    assert build_url(endpoint, **attributes) == built


@pytest.mark.parametrize(
    ("endpoint", "attributes"),
    [
        ("https://crm.example/lists/{{ v }}/members", {"v": ".."}),
        ("https://crm.example/lists/{{ v }}", {"v": "."}),
        ("https://crm.example/a b", {}),
        ("https://{{ credentials.list }}:port/", {}),
        ("https://crm.example:port/", {}),
        ("https://crm.example:99999/", {}),
        ("https://[/", {}),
    ],
)
def test_an_endpoint_with_an_unsafe_url_is_refused(
    endpoint: str, attributes: dict[str, object]
) -> None:
    with pytest.raises(BuildError, match="The endpoint"):
        build_url(endpoint, **attributes)


@pytest.mark.parametrize(
    ("endpoint", "document", "attributes", "built"),
    [
        (URL, "a={{ a }}\nb={{ b }}", {"a": "+1", "b": "x y"}, f"{URL}?a=%2B1&b=x+y"),
        (f"{URL}?z=1", "a={{ a }}&b={{ b }}", {"a": "&"}, f"{URL}?z=1&a=%26"),
        (f"{URL}?z=1#part", "a={{ a }}", {"a": "1"}, f"{URL}?z=1&a=1"),
        (URL, "a={{ a }}", {}, URL),
    ],
)
def test_a_form_becomes_the_query_of_a_get_request(
    endpoint: str, document: str, attributes: dict[str, object], built: str
) -> None:
    assert build_query_url(endpoint, document, **attributes) == built


@pytest.mark.parametrize("value", ["a\r\nEvil: 1", "a\nb", "a\rb", "a\0b"])
def test_no_value_splits_a_header(value: str) -> None:
    with pytest.raises(BuildError) as caught:
        build({"v": value}, headers={"X-Name": "{{ v }}"})
    assert str(caught.value) == "The header X-Name would hold a line break."


@pytest.mark.parametrize("length", [4_096, 4_097])
def test_a_header_has_at_most_4096_characters(length: int) -> None:
    if length == 4_096:
        assert header(build({"v": "x" * length}, headers={"X": "{{ v }}"}), "X") == "x" * length
    else:
        with pytest.raises(BuildError, match=r"The header X is longer than 4096 characters\."):
            build({"v": "x" * length}, headers={"X": "{{ v }}"})


def test_a_body_has_at_most_256_kib() -> None:
    largest = "[" + '"{{ v }}",' * 64 + "1" * 62 + "]"
    too_large = largest.replace("1]", "11]")
    assert len(build({"v": "x" * 4_091}, document=largest).body) == 256 * 1024
    with pytest.raises(BuildError, match=r"The body is larger than 256 KiB\."):
        build({"v": "x" * 4_091}, document=too_large)


@pytest.mark.parametrize("missing", [{}, {"email": None}, {"email": ""}])
def test_a_referral_without_a_required_attribute_is_never_sent(missing: dict[str, object]) -> None:
    with pytest.raises(BuildError, match=r'The required attribute "email" is missing\.'):
        build(missing, required=("email",))


@pytest.mark.parametrize("present", [0, False, " ", "x"])
def test_zero_and_false_satisfy_a_required_attribute(present: object) -> None:
    build({"email": present}, required=("email",))


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [("Idempotency-Key", "17", "17"), ("X-Id", "17", "17"), ("", "17", None), ("X-Id", "", None)],
)
def test_the_idempotency_key_is_sent_in_the_header_of_the_connection(
    name: str, value: str, sent: str | None
) -> None:
    request = build_request(spec(idempotency_header=name), {}, idempotency_key=value)
    assert header(request, name or "Idempotency-Key") == sent


def test_credentials_may_be_used_anywhere_and_are_masked_everywhere() -> None:
    request = build(
        endpoints={"production": "https://crm.example/{{ credentials.key }}"},
        credentials={"key": "k&y 1"},
        authorization=ApiKey(location="query", name="k", key="other-key"),
        headers={"X-Key": "Key {{ credentials.key }}"},
        document='{"key": "{{ credentials.key }}", "other": "x"}',
    )
    assert request.url == "https://crm.example/k%26y%201?k=other-key"
    masked = request.masked()
    assert masked.url == "https://crm.example/••••?k=••••"
    assert header(masked, "X-Key") == "Key ••••"
    assert masked.body == '{"key": "••••", "other": "x"}'.encode()


def test_a_builder_lists_and_checks_the_attributes_that_it_uses() -> None:
    builder = RequestBuilder(
        spec(
            endpoints={"production": "https://{{ credentials.dc }}.example/{{ email | md5 }}"},
            headers={"X-Age": "{{ age }}"},
            document='{"a": ["{{ first_name }} {{ last_name }}"], "k": "{{ credentials.key }}"}',
            credentials={"dc": "us9", "key": "k"},
            required=("mobile",),
        )
    )
    used = {"email", "age", "first_name", "last_name", "mobile"}
    assert builder.attributes() == used
    builder.check_attributes(used)
    for left_out in used:
        with pytest.raises(DescriptionError, match=f'There is no attribute "{left_out}"'):
            builder.check_attributes(used - {left_out})


def test_each_environment_has_its_own_endpoint() -> None:
    described = spec(endpoints={"testing": "https://test.example/", "production": URL})
    assert build_request(described, {}, environment="testing").url == "https://test.example/"

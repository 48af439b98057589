"""Tests of the templates."""

import pytest

from connections.core.errors import BuildError, DescriptionError
from connections.core.request.templates import Scope, Template, check_names, has_placeholder
from connections.core.values import ExactNumber

ATTRIBUTES = {
    "email": "Jo@X.y",
    "age": 25,
    "price": ExactNumber("2.50"),
    "optin": True,
    "nothing": None,
    "path": "a&b/c",
    "credentials": {"api_key": "k y", "data-centre": "us9"},
}


def render(source: str, *, in_url: bool = False) -> str:
    return Template(source, in_url=in_url).render(Scope(ATTRIBUTES))


@pytest.mark.parametrize(
    ("source", "rendered"),
    [
        ("plain", "plain"),
        ("{{ email }}", "Jo@X.y"),
        ("{{email}}{{ age }}", "Jo@X.y25"),
        ("<{{ missing }}{{ nothing }}>", "<>"),
        ("<{{ missing | upcase | append: '' }}>", "<>"),
        ("<{{ nothing | upcase }}>", "<>"),
        ("{{ optin }} {{ optin | upcase }} {{ optin | append: optin }}", "true TRUE truetrue"),
        ("{{ price }} {{ price | plus: 1 }} {{ price | replace: '.', ',' }}", "2.50 3.5 2,50"),
        ("{% if price > 2.25 and price < 3 %}y{% endif %}", "y"),
        ("{% if age >= 18 %}adult{% else %}minor{% endif %}", "adult"),
        ("{% if missing %}y{% else %}n{% endif %}{% if nothing %}y{% else %}n{% endif %}", "nn"),
        ("{% unless optin %}no{% endunless %}", ""),
        ("{% case age %}{% when 25 %}a{% else %}b{% endcase %}", "a"),
        ("{% assign name = email | split: '@' | first %}{{ name }}", "Jo"),
        ("{% for i in (1..3) %}{{ i }},{% endfor %}", "1,2,3,"),
        ("a {%- if true -%} b {%- endif -%} c", "abc"),
        ("{% comment %}{{ x }}{% endcomment %}{% # note %}", ""),
        ("{% raw %}{{ email }}{% endraw %}", "{{ email }}"),
        ("{{ missing | default: 'd' }}{{ nothing | default: age }}", "d25"),
        ("{{ email | md5 }}", "27b1768110923dd1bb85a931f5ecc06e"),
        ('{{ credentials.api_key }} {{ credentials["api_key"] }}', "k y k y"),
        ("{{ credentials.data-centre }}", "us9"),
        ("{{ age | divided_by: 2.0 }}", "12.5"),
        ("{{ 0.0000001 | times: 1 }}", "0.0000001"),
        ("{{ (1..3) }}", "1..3"),
        ("a\r\n{{ age }}\rb", "a\r\n25\rb"),
    ],
)
def test_a_template_renders_its_values(source: str, rendered: str) -> None:
    assert render(source) == rendered


@pytest.mark.parametrize(
    ("source", "rendered"),
    [
        ("/{{ path }}/", "/a%26b%2Fc/"),
        ("/{{ path | url_encode }}/", "/a%26b%2Fc/"),
        ("/{{ path | upcase }}/", "/A%26B%2FC/"),
        ("/{% if path %}x={{ path }}{% endif %}", "/x=a%26b%2Fc"),
        ("/{% assign p = path | append: '/?' %}{{ p }}", "/a%26b%2Fc%2F%3F"),
        ("/{% for p in (1..2) %}{{ p }}/{% endfor %}", "/1/2/"),
        ("/{{ credentials.api_key }}", "/k%20y"),
        ("/{{ email }}?q={{ missing }}", "/Jo%40X.y?q="),
    ],
)
def test_every_value_in_an_endpoint_is_percent_encoded_once(source: str, rendered: str) -> None:
    assert render(source, in_url=True) == rendered


@pytest.mark.parametrize("in_url", [False, True])
@pytest.mark.parametrize(
    "tag",
    [
        "{% include 'x' %}",
        "{% render 'x' %}",
        "{% echo path %}",
        "{% cycle path, path %}",
        "{% liquid echo path %}",
        "{% capture c %}{{ path }}{% endcapture %}",
        "{% tablerow i in (1..3) %}{% endtablerow %}",
    ],
)
def test_tags_that_bypass_the_encoding_are_refused(tag: str, *, in_url: bool) -> None:
    with pytest.raises(DescriptionError, match="unexpected tag"):
        Template(tag, in_url=in_url)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("plain", set()),
        ("{{ email | append: last_name }}", {"email", "last_name"}),
        ("{% if age > 18 %}{{ a.b.c }}{% endif %}", {"age", "a.b.c"}),
        ("{% assign x = email %}{{ x }}", {"email"}),
        ("{% for w in words %}{{ w }}{{ forloop.index }}{% endfor %}", {"words"}),
        (
            '{{ credentials["api-key"] }}{{ credentials.x }}',
            {"credentials.api-key", "credentials.x"},
        ),
        ('{{ ["email"] }}', {"email"}),
        ("{{ email | hmac_sha256: credentials.key }}", {"email", "credentials.key"}),
        ("{% raw %}{{ email }}{% endraw %}", set()),
    ],
)
def test_a_template_lists_the_names_that_it_uses(source: str, names: set[str]) -> None:
    assert Template(source).names == names


@pytest.mark.parametrize("source", ["{{ credentials[email] }}", "{{ [email] }}", "{{ a[b.c].d }}"])
def test_a_name_computed_from_a_value_is_refused(source: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        Template(source, field="headers.X")
    assert caught.value.field == "headers.X"
    assert (
        caught.value.message == 'A name in brackets stands in quotes, as in credentials["api-key"].'
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ emial }}", 'There is no attribute "emial". Did you mean "email"?'),
        ("{{ qqqq.size }}", 'There is no attribute "qqqq".'),
        ("{{ now }}", 'There is no attribute "now".'),
        (
            "{{ credential.api_key }}",
            'There is no attribute "credential". Did you mean "credentials"?',
        ),
        ("{{ credentials.apikey }}", 'There is no credential "apikey". Did you mean "api_key"?'),
        (
            "{{ credentials.api_key.size }}",
            'There is no credential "api_key.size". Did you mean "api_key"?',
        ),
        ("{{ credentials }}", "Name one of the credentials, as in credentials.NAME."),
        (
            "{% assign c = credentials %}{{ c.api_key }}",
            "Name one of the credentials, as in credentials.NAME.",
        ),
        (
            "{% for c in credentials %}{{ c }}{% endfor %}",
            "Name one of the credentials, as in credentials.NAME.",
        ),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_one(source: str, message: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        check_names(Template(source, field="f"), ["email", "age"], ["api_key"])
    assert (caught.value.field, caught.value.message) == ("f", message)


def test_known_names_are_accepted() -> None:
    check_names(Template("{{ email.size }}{{ credentials.api_key }}"), ["email"], ["api_key"])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ email", "Not a valid template: expected '}}', found end of file in '{{ email'."),
        ("{% if age %}", "Not a valid template: expected tag endif, found end of expression in"),
        ("{{ email | upcse }}", 'There is no filter "upcse". Did you mean "upcase"?'),
        ("{% if age | upcse %}{% endif %}", "Not a valid template: "),
        ("{{ | upcase }}", "Not a valid template: "),
        ("{{ email if age else nothing }}", "Not a valid template: disallowed ternary expression"),
    ],
)
def test_a_text_that_is_not_liquid_is_refused(source: str, message: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        Template(source, field="body.document")
    assert caught.value.field == "body.document"
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{% for i in (1..2000) %}x{% endfor %}", "loop iteration limit reached"),
        (
            "{% for i in (1..40) %}{% for j in (1..40) %}x{% endfor %}{% endfor %}",
            "loop iteration limit reached",
        ),
        ("{% for i in (1..900) %}{{ long }}{% endfor %}", "output stream limit reached"),
        ("{% assign a = long | replace: 'x', long %}{{ a }}", "local namespace limit reached"),
        ("{{ age | divided_by: 0 }}", "the filter divided_by can't take its value"),
        ("{{ email | compact: 'x' }}", "a value is not what a filter expects"),
        ("{% if email > 1 %}y{% endif %}", "'<' and '>' are not supported between 'int' and 'str'"),
        ("{{ email | md5: 1 }}", "md5: md5() takes 1 positional argument but 2 were given"),
        ("{{ '1e400' | plus: 0 }}", "a value is not what a filter expects"),
        ("{% break %}", "unexpected 'break'"),
    ],
)
def test_a_failing_template_gives_the_reason_without_a_value(source: str, reason: str) -> None:
    with pytest.raises(BuildError) as caught:
        Template(source).render(Scope({**ATTRIBUTES, "long": "x" * 4_096}))
    assert "Jo@X.y" not in str(caught.value)
    assert reason in str(caught.value)


def test_an_error_quotes_only_the_beginning_of_a_long_template() -> None:
    with pytest.raises(BuildError) as caught:
        Template("{{ age | divided_by: 0 }}" + "x" * 10_000).render(Scope(ATTRIBUTES))
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{{ age }}", 25),
        ("{{ price }}", ExactNumber("2.50")),
        ("{{ optin }}", True),
        ("{{ nothing }}", None),
        ("{{ missing }}", None),
        ("{{ missing | default: nothing }}", None),
        ("{{ credentials.api_key }}", "k y"),
        ("{{ age | plus: 1 }}", 26),
        (" {{ age }}", " 25"),
        ("plain", "plain"),
    ],
)
def test_a_lone_placeholder_evaluates_to_its_typed_value(source: str, value: object) -> None:
    found = Template(source).value(Scope(ATTRIBUTES))
    assert (found, type(found)) == (value, type(value))


def test_an_error_in_a_lone_placeholder_is_a_build_error() -> None:
    with pytest.raises(BuildError, match="the filter divided_by can't take its value"):
        Template("{{ age | divided_by: 0 }}").value(Scope(ATTRIBUTES))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a { b } % c", False), ("{{ a }}", True), ("{% if %}", True), ("", False)],
)
def test_has_placeholder_detects_outputs_and_tags(text: str, *, expected: bool) -> None:
    assert has_placeholder(text) is expected

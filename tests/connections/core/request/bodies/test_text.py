"""Tests of the plain text body encoding."""

from typing import Any

import pytest

from connections.core.errors import BuildError
from connections.core.values import ExactNumber
from tests.connections.core.factories import body


@pytest.mark.parametrize(
    ("document", "sent"),
    [
        ("{{ name }};{{ age }};{{ price }};{{ optin }}\n", 'Jo "é" & <🎉>;25;2.50;true\n'),
        ("line 1\r\nline 2 {{ age }}\r\n", "line 1\r\nline 2 25\r\n"),
        ("  constant \r\n", "  constant \r\n"),
        ("[{{ missing }}|{{ nothing }}]", "[|]"),
        (
            "{% for w in words %}{{ w | upcase }}{% if forloop.first %}+{% endif %}{% endfor %}",
            "A+B",
        ),
        ("{%- assign full = name | append: '!' -%} {{ full }}", 'Jo "é" & <🎉>!'),
        ("{{ name }}{{ name | escape }}", 'Jo "é" & <🎉>Jo &quot;é&quot; &amp; &lt;🎉&gt;'),
    ],
)
@pytest.mark.parametrize("empty", ["omit", "empty", "null"])
def test_a_text_is_sent_with_rendered_placeholders(document: str, sent: str, empty: str) -> None:
    attributes: dict[str, Any] = {
        "age": 25,
        "price": ExactNumber("2.50"),
        "optin": True,
        "words": ["a", "b"],
        "nothing": None,
    }
    assert body("text", document, empty, name='Jo "é" & <🎉>', **attributes) == sent.encode()


@pytest.mark.parametrize("value", ["a\rb", "a\r\nb", "a\nb", "\ra\n\n"])
def test_line_breaks_in_a_value_are_unchanged(value: str) -> None:
    assert body("text", "<{{ v }}>", v=value) == f"<{value}>".encode()


def test_a_lone_surrogate_is_never_sent() -> None:
    with pytest.raises(BuildError):
        body("text", "{{ v }}", v="\udc80")

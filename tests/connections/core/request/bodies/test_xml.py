"""Tests of the XML body encoding."""

import pytest
from lxml import etree

from connections.core.errors import BuildError, DescriptionError
from connections.core.request.bodies import EmptyValues, body_encodings
from connections.core.request.templates import Scope
from connections.core.values import ExactNumber
from tests.connections.core.factories import body

ENVELOPE = """<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:leads">
  <soap:Body>
    <AddLead version="{{ version }}">
      <Email>{{ email }}</Email>
      <Note><![CDATA[{{ note }}]]></Note>
    </AddLead>
  </soap:Body>
</soap:Envelope>
"""


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("Jo", "Jo"),
        ("a & b", "a &amp; b"),
        ("<b>", "&lt;b&gt;"),
        ("]]>", "]]&gt;"),
        ("\"quoted\" 'too'", "\"quoted\" 'too'"),
        ("two\nlines\t", "two\nlines\t"),
        ("cr\r\n", "cr&#13;\n"),
        ("é🎉", "é🎉"),
        ("שלום", "שלום"),
        ("+1 732", "+1 732"),
        ("01234", "01234"),
        ("&amp;", "&amp;amp;"),
        (2581697744617019994, "2581697744617019994"),
        (ExactNumber("2.50"), "2.50"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
    ],
)
def test_a_value_in_an_element_is_escaped(value: object, sent: str) -> None:
    assert body("xml", "<a><b>{{ v }}</b></a>", v=value) == f"<a><b>{sent}</b></a>".encode()


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("a&b", b"a&amp;b"),
        ('"', b"&quot;"),
        ("'", b"'"),
        ("<>", b"&lt;&gt;"),
        ("a\r\n\tb", b"a&#13;&#10;&#9;b"),
    ],
)
def test_a_value_in_an_attribute_is_escaped(value: str, sent: bytes) -> None:
    assert body("xml", "<a b='x{{ v }}'/>", v=value) == b'<a b="x' + sent + b'"/>'


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("a<b>&", b"<![CDATA[a<b>&]]>"),
        ("a]]>b", b"a]]&gt;b"),
        ("a\rb<", b"a&#13;b&lt;"),
        ("]]", b"<![CDATA[]]]]>"),
        ("é", b"<![CDATA[\xc3\xa9]]>"),
    ],
)
def test_cdata_stays_cdata_if_it_can_hold_the_value(value: str, sent: bytes) -> None:
    document = "<a><b c='>'>\n<![CDATA[{{ v }}]]></b></a>"
    expected = b'<a><b c="&gt;">' + sent + b"</b></a>"
    assert body("xml", document, v=value).replace(b"\n", b"") == expected


def test_constant_cdata_is_unchanged() -> None:
    document = "<a><b><![CDATA[<x>]]></b><c>{{ v }}</c></a>"
    assert body("xml", document, v=1) == b"<a><b><![CDATA[<x>]]></b><c>1</c></a>"


def test_a_soap_envelope_keeps_namespaces_and_layout() -> None:
    sent = body("xml", ENVELOPE, version="2", email="jo&co@x.y", note="<p>")
    expected = ENVELOPE.strip().replace("utf-8", "UTF-8").replace("{{ version }}", "2")
    expected = expected.replace("{{ email }}", "jo&amp;co@x.y").replace("{{ note }}", "<p>")
    assert sent == expected.encode()


@pytest.mark.parametrize(
    ("document", "sent"),
    [
        ("<a>{{ v }}</a>", b"<a>\xc3\xbc</a>"),
        ("\ufeff \n<?xml version='1.0'?><a>{{ v }}</a>", b"DECLARED<a>\xc3\xbc</a>"),
        ('<?xml version="1.0" encoding="ISO-8859-1"?><a>{{ v }}</a>', b"DECLARED<a>\xc3\xbc</a>"),
        (
            "<!-- c --><?pi x?><a>{{ v }}</a><!-- d -->",
            b"<!-- c --><?pi x?><a>\xc3\xbc</a><!-- d -->",
        ),
        ("<a>x {{ v }} y<b/>{{ v }} z</a>", b"<a>x \xc3\xbc y<b/>\xc3\xbc z</a>"),
        ("<a>{% if v %}1{% else %}2{% endif %}</a>", b"<a>1</a>"),
        ("<a><b/>{{ v | upcase }}</a>", b"<a><b/>\xc3\x9c</a>"),
        ("<a><!-- {{ v }} -->x</a>", b"<a><!-- {{ v }} -->x</a>"),
        ("<x:a xmlns:x='u' x:b='{{ v }}'/>", b'<x:a xmlns:x="u" x:b="\xc3\xbc"/>'),
        ("<a b='{{ v }}'>{{ v }}</a>", b'<a b="\xc3\xbc">\xc3\xbc</a>'),
    ],
)
def test_everything_around_a_placeholder_is_kept(document: str, sent: bytes) -> None:
    declared = b'<?xml version="1.0" encoding="UTF-8"?>\n'
    assert body("xml", document, v="ü") == sent.replace(b"DECLARED", declared)


@pytest.mark.parametrize(
    ("document", "sent"),
    [
        ("<a>1<b>{{ x }}</b>2<c/>3<b>{{ x }}</b>4</a>", b"<a>12<c/>34</a>"),
        ("<a><!-- c --><b>{{ x }}</b>2</a>", b"<a><!-- c -->2</a>"),
        ("<a><b> {{ x }}\n</b></a>", b"<a></a>"),
        ("<a><b c='{{ x }}'>{{ x }}</b>2</a>", b"<a>2</a>"),
        ("<a><b c='{{ x }}' d='1'/></a>", b'<a><b d="1"/></a>'),
        ("<a><b d='1'>{{ x }}</b></a>", b"<a></a>"),
        ("<a><b>{{ x }}<c/></b></a>", b"<a><b><c/></b></a>"),
        ("<a><b>{{ x }}{{ y }}</b></a>", b"<a><b>1</b></a>"),
        ("<a><b></b><c/></a>", b"<a><b/><c/></a>"),
        ("<a>{{ x }}</a>", b"<a></a>"),
        ("<a><b/>{{ x }}</a>", b"<a><b/></a>"),
        ("<a><b><![CDATA[{{ x }}]]></b>2</a>", b"<a>2</a>"),
    ],
)
def test_an_empty_element_is_left_out_and_the_text_around_it_is_kept(
    document: str, sent: bytes
) -> None:
    assert body("xml", document, y=1) == sent


@pytest.mark.parametrize("empty", ["empty", "null"])
def test_an_empty_element_is_kept_if_the_connection_sends_empty_values(empty: str) -> None:
    sent = body("xml", "<a><b c='{{ x }}'>{{ x }}</b>2</a>", empty)
    assert sent == b'<a><b c=""></b>2</a>'


def test_a_parsed_document_renders_many_referrals() -> None:
    parsed = body_encodings["xml"]().parse("<a><b>{{ v }}</b></a>")
    assert len(parsed.templates) == 1
    assert parsed.render(Scope({}), EmptyValues.OMIT) == b"<a></a>"
    assert parsed.render(Scope({"v": "x"}), EmptyValues.OMIT) == b"<a><b>x</b></a>"


@pytest.mark.parametrize("value", ["\0", "\x0b", "\x1f", "\ufffe", "\ud800"])
@pytest.mark.parametrize("document", ["<a>{{ v }}</a>", "<a b='{{ v }}'/>", "<a><b/>{{ v }}</a>"])
def test_a_character_that_xml_cannot_hold_is_never_sent(document: str, value: str) -> None:
    with pytest.raises(BuildError) as caught:
        body("xml", document, v=value)
    assert "{{ v }}" in str(caught.value)


def test_an_xml_parser_reads_the_values_back() -> None:
    value = "a & b <c> ]]> \"d\"\n'e' é🎉 \u2028"
    sent = body("xml", "<a b='{{ v }}'><c>{{ v }}</c><d><![CDATA[{{ v }}]]></d></a>", v=value)
    root = etree.fromstring(sent)
    assert [root.get("b"), *(child.text for child in root)] == [value] * 3


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("<a>", "Not valid XML: Premature end of data in tag a line 1, line 1, column 4."),
        ("<a>\n<b></a>", "Opening and ending tag mismatch: b line 2 and a, line 2, column 8."),
        ("text", "Start tag expected, '<' not found, line 1, column 1."),
        ("", "Document is empty, line 1, column 1."),
        ("<a>&nbsp;</a>", "Entity 'nbsp' not defined, line 1, column 10."),
        ("<!DOCTYPE a><a/>", "A document type declaration (<!DOCTYPE …>) is not allowed."),
        ('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "A document type declaration"),
        ("<a>{{ v | nofilter }}</a>", 'There is no filter "nofilter".'),
        ("<a>{% if v %}<b/>{% endif %}</a>", "Not a valid template: expected tag endif"),
    ],
)
def test_a_document_that_is_not_xml_is_refused_with_its_position(
    document: str, message: str
) -> None:
    with pytest.raises(DescriptionError) as caught:
        body_encodings["xml"]().parse(document)
    assert caught.value.field == "body.document"
    assert message in caught.value.message

"""Tests of the XML parser."""

from pathlib import Path

import pytest
from lxml import etree

from connections.core.xml_parser import parse_xml


def serialize(root: etree._Element) -> str:
    return etree.tostring(root, encoding="unicode")


def test_content_is_decoded_as_utf_8_whatever_its_declaration_says() -> None:
    content = '<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>'.encode()
    assert parse_xml(content).text == "é"


@pytest.mark.parametrize("recover", [False, True])
def test_entities_are_not_expanded(tmp_path: Path, recover: bool) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    declared = f'<!DOCTYPE a [<!ENTITY in "ha"><!ENTITY out SYSTEM "file://{secret}">]>'
    for name in ("in", "out"):
        root = parse_xml(f"{declared}<a>&{name};</a>".encode(), recover=recover)
        assert root.text is None
        assert serialize(root) == f"<a>&{name};</a>"


def test_malformed_xml_is_refused_unless_recovery_is_asked_for() -> None:
    with pytest.raises(etree.XMLSyntaxError):
        parse_xml(b"<a><b></a>")
    assert serialize(parse_xml(b"<a><b></a>", recover=True)) == "<a><b/></a>"


def test_cdata_and_blank_text_are_kept_or_removed_as_the_arguments_say() -> None:
    content = b"<a> <b><![CDATA[x]]></b> </a>"
    assert serialize(parse_xml(content)) == "<a> <b>x</b> </a>"
    assert serialize(parse_xml(content, strip_cdata=False)) == content.decode()
    assert serialize(parse_xml(content, remove_blank_text=True)) == "<a><b>x</b></a>"

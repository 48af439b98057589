"""Parse XML safely: nothing is loaded from outside, and entities are not expanded."""

from __future__ import annotations

from lxml import etree


def parse_xml(
    content: bytes,
    *,
    recover: bool = False,
    strip_cdata: bool = True,
    remove_blank_text: bool = False,
) -> etree._Element:
    """Return the root element of UTF-8 content.

    The content is encoded text, so the encoding in its declaration is ignored. Raises
    etree.XMLSyntaxError if it is not well-formed, unless `recover` is set, and ValueError if
    libxml2 does not accept it.
    """
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        recover=recover,
        strip_cdata=strip_cdata,
        remove_blank_text=remove_blank_text,
    )
    return etree.fromstring(content, parser)

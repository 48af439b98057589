"""Tests of the syntax highlighting."""

from __future__ import annotations

import html
import re

import pytest

from connections.core.formatting import Language
from connections.presentation.highlight import highlight


def pieces(text: str, language: Language) -> list[tuple[str, str]]:
    """Return the class and the text of each highlighted piece."""
    found = re.findall(r'<span class="hl-(\w*)">(.*?)</span>', highlight(text, language), re.DOTALL)
    return [(name, html.unescape(piece)) for name, piece in found]


def test_markup_is_split_into_classed_pieces() -> None:
    text = "<?xml?><a b=\"1\" c='2' d=3 e>x &amp; y<!-- <z> --></a><br/>"
    assert pieces(text, Language.XML) == [
        ("cp", "<?xml?>"),
        ("nt", "<a"), ("", " "), ("na", "b="), ("s", '"1"'), ("", " "), ("na", "c="), ("s", "'2'"),
        ("", " "), ("na", "d="), ("s", "3"), ("", " "), ("na", "e"), ("nt", ">"),
        ("", "x "), ("ni", "&amp;"), ("", " y"), ("cm", "<!-- <z> -->"),
        ("nt", "</a"), ("nt", ">"), ("nt", "<br"), ("nt", "/>"),
    ]  # fmt: skip


def test_a_script_is_highlighted_as_one_piece() -> None:
    text = "<!DOCTYPE html><SCRIPT a>if (a < b) '\n</script><p>"
    assert [name for name, _ in pieces(text, Language.HTML)] == ["cp", "cp", "nt", "nt"]


@pytest.mark.parametrize(
    "text",
    [
        "<a", "<a b", "<a b='", '<a b="1', "<a <b>", "<a = / >", "a < b & c", "</", "<", "<!", "<?",
        "<!--", "<![CDATA[", "<!-- --", "<script", "<style>a{", "&amp", "&;", "<a b=>", "<a b==>",
        "\n <a>\n\n", "<ä é='ü'>\U0001f600\ud800",
    ],
)  # fmt: skip
def test_unclosed_markup_loses_no_character(text: str) -> None:
    for language in (Language.XML, Language.HTML):
        found = pieces(text, language)
        assert "".join(piece for _, piece in found) == text
        assert "err" not in [name for name, _ in found]

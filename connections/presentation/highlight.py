"""Requests and responses in colours, as HTML with classes only; the colours stand in highlight.css.

Everything shown here may have been written by strangers: it leaves this module escaped.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, ClassVar

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from pygments.lexer import Lexer, RegexLexer
from pygments.lexers.data import JsonLexer
from pygments.token import STANDARD_TYPES, Comment, Name, String, Text

from connections.core.messages import Headers, Request, Response
from connections.presentation.formatting import Language, language_of, prettify, raw_text


class _MarkupLexer(RegexLexer):
    """XML and HTML, in one pass over whatever a stranger wrote: what is never closed reaches to the
    end. Pygments' own lexers look for its end again from each place where something opens."""

    flags = re.DOTALL | re.IGNORECASE
    tokens: ClassVar[dict[str, list[tuple[Any, ...]]]] = {
        "root": [
            (r"[^<&]+", Text),
            (r"&#?\w{1,40};", Name.Entity),
            (r"<!--.*?(?:-->|\Z)", Comment.Multiline),
            (r"<!\[CDATA\[.*?(?:\]\]>|\Z)", Comment.Preproc),
            (r"<\?.*?(?:\?>|\Z)", Comment.Preproc),
            (r"<![^>]*>?", Comment.Preproc),
            (r"<(script|style)\b.*?(?:</\1>|\Z)", Comment.Preproc),
            (r"</?[\w:.-]+", Name.Tag, "tag"),
            (r"[<&]", Text),
        ],
        "tag": [
            (r"\s+", Text),
            (r"/?>", Name.Tag, "#pop"),
            (r"\"[^\"]*\"?|'[^']*'?|(?<==)[^\s>]+", String),
            (r"[^\s\"'=/>]+=?", Name.Attribute),
            (r"[=/]", Text),
        ],
    }


_LEXERS: dict[Language, type[Lexer]] = {
    Language.JSON: JsonLexer,
    Language.XML: _MarkupLexer,
    Language.HTML: _MarkupLexer,
}


def pretty_body(content: bytes, text: str, content_type: str) -> SafeString:
    """A body indented and in colours; bytes that are no text stand as hexadecimal numbers."""
    if not _is_text(content):
        return format_html("{}", raw_text(content))
    language = language_of(text, content_type)
    return coloured(prettify(text, language), language)


def exact_request(request: Request) -> SafeString:
    """The request as it goes over the wire, byte for byte, in colours."""
    content_type = dict(request.headers).get("Content-Type", "")
    text = raw_text(request.body)
    body = coloured(text, language_of(text, content_type))
    return format_html("{}\n\n{}", request_head(request), body)


def request_head(request: Request) -> SafeString:
    """The first line and the headers of a request."""
    _, _, rest = request.url.partition("://")
    target = rest[rest.index("/") :] if "/" in rest else "/"
    first = format_html('<span class="hl-k">{}</span> {} HTTP/1.1', request.method, target)
    return format_html("{}{}", first, _headers(request.headers))


def response_head(response: Response) -> SafeString:
    """The status and the headers of a response."""
    first = format_html('HTTP <span class="hl-m">{}</span>', response.status)
    return format_html("{}{}", first, _headers(response.headers))


def coloured(text: str, language: Language) -> SafeString:
    """The text in the colours of its language."""
    if language is Language.FORM:
        return _form(text)
    if language not in _LEXERS:
        return format_html("{}", text)
    tokens = _lexer(language).get_tokens(text)
    spans = ((STANDARD_TYPES.get(kind, ""), part) for kind, part in tokens)
    return format_html_join("", '<span class="hl-{}">{}</span>', spans)


def _headers(headers: Headers) -> SafeString:
    return format_html_join("", '\n<span class="hl-na">{}</span>: {}', headers)


def _form(text: str) -> SafeString:
    separator = "\n" if "\n" in text else "&"
    pairs = (part.partition("=") for part in text.split(separator))
    return format_html_join(
        separator, '<span class="hl-na">{}</span>{}<span class="hl-s">{}</span>', pairs
    )


@cache
def _lexer(language: Language) -> Lexer:
    return _LEXERS[language](stripnl=False, ensurenl=False)


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True

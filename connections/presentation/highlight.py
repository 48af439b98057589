"""Render requests and responses as HTML with classes; highlight.css holds their colours.

All texts are untrusted and are escaped here.
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

from connections.core.formatting import Language, detect_language, hex_dump, prettify, raw_text
from connections.core.messages import Headers, Request, Response


class _MarkupLexer(RegexLexer):
    """A lexer for XML and HTML in linear time; an unclosed construct reaches to the end.

    Pygments' own lexers search for the end again from each opening, which takes quadratic time.
    """

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


def render_body(content: bytes, text: str, headers: Headers) -> SafeString:
    """Return a body indented and highlighted, or as hexadecimal if it is not text."""
    if "\0" in text or ("\ufffd" in text and not _is_utf8(content)):
        return format_html("{}", hex_dump(content))
    language = detect_language(text, _content_type(headers))
    return highlight(prettify(text, language), language)


def render_exact_request(request: Request) -> SafeString:
    """Return the request exactly as it is sent, highlighted."""
    text = raw_text(request.body)
    body = highlight(text, detect_language(text, _content_type(request.headers)))
    return format_html("{}\n\n{}", render_request_head(request), body)


def render_request_head(request: Request) -> SafeString:
    """Return the first line and the headers of a request."""
    _, _, rest = request.url.partition("://")
    target = rest[rest.index("/") :] if "/" in rest else "/"
    first = format_html('<span class="hl-k">{}</span> {} HTTP/1.1', request.method, target)
    return format_html("{}{}", first, _headers(request.headers))


def render_response_head(response: Response) -> SafeString:
    """Return the status and the headers of a response."""
    first = format_html('HTTP <span class="hl-m">{}</span>', response.status)
    return format_html("{}{}", first, _headers(response.headers))


def highlight(text: str, language: Language) -> SafeString:
    """Return the text as HTML with the classes of its language's tokens."""
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


def _content_type(headers: Headers) -> str:
    return next((value for name, value in headers if name.lower() == "content-type"), "")


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True

"""Read the parts of a request from a parsed `curl` command, one function each."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, unquote

from connections.core.formatting import Language, detect_language
from connections.core.request.spec import METHODS
from connections.importers.curl.body_values import FormBody, JsonBody, PastedBody, TextBody, XmlBody
from connections.importers.curl.credentials import Credentials, add_header, add_user
from connections.importers.curl.errors import CurlError
from connections.importers.curl.options import CurlRequest

_SET_BY_PRODUCT = {
    "host": "is set from the endpoint",
    "content-length": "is set from the body",
    "transfer-encoding": "is set by the product",
    "connection": "is set by the product",
    "accept-encoding": "is set by the product",
    "cookie": "is left out: deliveries send no cookies",
    "expect": "is left out: the product sends the body at once",
}
_ACCEPT_JSON = {"Accept": "application/json"}
_PASTED: dict[str, Callable[[str], PastedBody]] = {
    "json": JsonBody,
    "xml": XmlBody,
    "urlencoded": FormBody,
    "text": TextBody,
}
_URL_SAFE = "!#$%&'()*+,/:;=?@[]{}|~\"\\^`<>"
"""What stays as it is in a pasted URL; spaces and letters other than ASCII are encoded."""


def get_method(request: CurlRequest) -> str:
    """Return the method that curl would use; raise CurlError for one that can't deliver."""
    has_body = bool(request.data or request.fields) and not request.is_get
    method = request.method or ("POST" if has_body else "GET")
    if method not in METHODS:
        raise CurlError(f"-X {method}", f"Must be one of {', '.join(METHODS)}.")
    return method


def get_url(request: CurlRequest, credentials: Credentials, notes: list[str]) -> str:
    """Return the URL with what --get and --url-query add, without user and password."""
    if len(request.urls) != 1:
        part = request.urls[1] if request.urls else ""
        problem = "There are two URLs." if request.urls else "There is no URL in the command."
        raise CurlError(part, problem)
    url = request.urls[0].strip()
    if "://" not in url:
        notes.append("The URL had no https:// in front; it has now.")
        url = f"https://{url}"
    if not url.lower().startswith(("https://", "http://")):
        raise CurlError(url, "Only https:// and http:// can be reached.")
    url, _, fragment = url.partition("#")
    if fragment:
        notes.append(f"Left out, as no server ever sees it: #{fragment}")
    pairs = [*request.query, *(request.data if _is_query(request) else [])]
    url = "&".join([url, *pairs]) if "?" in url else "?".join(filter(None, [url, "&".join(pairs)]))
    return _without_user(quote(url, safe=_URL_SAFE), credentials)


def _is_query(request: CurlRequest) -> bool:
    return request.is_get and (request.method or "GET") != "GET"


def _without_user(url: str, credentials: Credentials) -> str:
    """Return the URL without `user:password@`, which becomes the authorization."""
    found = re.match(r"(https?://)([^/?#@]*)@(.*)", url, re.IGNORECASE | re.DOTALL)
    if found is None:
        return url
    add_user(credentials, unquote(found[2]))
    return f"{found[1]}{found[3]}"


def get_headers(
    request: CurlRequest, credentials: Credentials, notes: list[str]
) -> tuple[dict[str, str], str]:
    """Return the headers that the connection keeps, and the content type."""
    kept: dict[str, str] = {}
    content_type = ""
    for name, value in request.headers:
        if name.lower() == "content-type":
            content_type = value
        elif name.lower() in _SET_BY_PRODUCT:
            notes.append(f"The header {name} {_SET_BY_PRODUCT[name.lower()]}.")
        else:
            template = add_header(credentials, name, value)
            if template:
                kept[name] = template
    if request.is_json:
        content_type = content_type or "application/json"
        kept = kept if any(name.lower() == "accept" for name in kept) else kept | _ACCEPT_JSON
    return kept, content_type


def get_body(
    request: CurlRequest, content_type: str, notes: list[str]
) -> tuple[str, PastedBody | None]:
    """Return the encoding and the body; the content type decides, else what the body looks like."""
    if request.fields:
        notes.append("The form (-F) is sent URL encoded, not as multipart/form-data.")
        pairs = "&".join(f"{quote(name)}={quote(value)}" for name, value in request.fields)
        return "urlencoded", FormBody(pairs)
    if not request.data or _is_query(request):
        return "json", None
    kind = content_type.partition(";")[0].strip().lower()
    encoding = _encoding(kind, request.body)
    if not kind and encoding != "urlencoded":
        notes.append(f"There is no Content-Type in the command; the body looks like {encoding}.")
    if get_method(request) == "GET" and encoding != "urlencoded":
        raise CurlError("-X GET", "A GET request has no body here; use POST or PUT, or -G.")
    return encoding, _PASTED[encoding](request.body)


def _encoding(kind: str, body: str) -> str:
    if "json" in kind:
        return "json"
    if "xml" in kind:
        return "xml"
    if kind and kind != "application/x-www-form-urlencoded":
        return "text"
    language = detect_language(body, "application/x-www-form-urlencoded")
    looks = {Language.JSON: "json", Language.XML: "xml", Language.FORM: "urlencoded"}
    if language in looks:
        return looks[language]
    is_broken_json = body.lstrip()[:1] in ("{", "[")
    return "json" if is_broken_json else "urlencoded" if "=" in body else "text"

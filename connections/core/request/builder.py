"""From a described connection and one referral's attributes to the exact request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from connections import __version__
from connections.core.errors import BuildError, DescriptionError, did_you_mean
from connections.core.masking import get_mask
from connections.core.messages import Request
from connections.core.request.authorization import SigningContext
from connections.core.request.authorization.base import STAND_IN_TOKEN
from connections.core.request.bodies import body_encodings, is_empty
from connections.core.request.spec import METHODS, RequestSpec
from connections.core.request.templates import (
    CREDENTIALS,
    Scope,
    Template,
    check_names,
)

USER_AGENT = f"Referrals/{__version__} (real-time referral delivery)"

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_BREAK = re.compile(r"[\r\n\0]")
_AUTHORITY = re.compile(r"https?://((?:\{\{.*?(?:\}\}|\Z)|\{%.*?(?:%\}|\Z)|[^/?#\s])+)", re.DOTALL)
_FORBIDDEN_HEADERS = {"host", "content-length", "transfer-encoding", "connection"}
_MAX_HEADER_LENGTH = 4_096
_MAX_BODY_BYTES = 256 * 1024
_UNSIGNED = SigningContext()


class RequestBuilder:
    """One connection prepared for many referrals: everything is parsed once and rendered often."""

    def __init__(self, spec: RequestSpec, environment: str = "production") -> None:
        """Parse the connection; raise DescriptionError, which names the field that is wrong."""
        if spec.method not in METHODS:
            raise DescriptionError("method", f"Must be one of {', '.join(METHODS)}.")
        self.spec = spec
        self._endpoint = _compile_endpoint(spec, environment)
        self._headers = tuple(_compile_headers(spec))
        _check_authorization(spec)
        encoding = body_encodings[spec.encoding]()
        self._document = encoding.parse(spec.document) if spec.document.strip() else None
        self._is_query = spec.method == "GET" and encoding.becomes_query
        self._content_type = spec.content_type or encoding.content_type
        self._mask = get_mask(spec.secrets())
        if self._document and spec.method == "GET" and not self._is_query:
            raise DescriptionError(
                "body.encoding", "GET has no body: use URL encoded, or no document."
            )

    def render(self, attributes: Mapping[str, object], idempotency_key: str = "") -> Request:
        """Return the request for one referral, before its authorization's flow.

        Raise BuildError, which names the attribute or template that is wrong. `complete` makes
        whole what the flow yields.
        """
        self._check_required(attributes)
        scope = Scope({**attributes, CREDENTIALS: self.spec.credentials})
        document = self._document.render(scope, self.spec.empty_values) if self._document else b""
        url = self._url(scope, document)
        body = b"" if self._is_query else document
        if len(body) > _MAX_BODY_BYTES:
            raise BuildError(f"The body is larger than {_MAX_BODY_BYTES // 1024} KiB.")
        return Request(
            method=self.spec.method,
            url=url,
            headers=tuple(self._rendered_headers(scope, idempotency_key, has_body=bool(body))),
            body=body,
            mask=self._mask,
        )

    def build(
        self,
        attributes: Mapping[str, object],
        *,
        idempotency_key: str = "",
        context: SigningContext = _UNSIGNED,
        token: str = STAND_IN_TOKEN,
    ) -> Request:
        """Return the whole request for one referral without asking anybody for a token.

        Raise BuildError as `render` does.
        """
        request = self.render(attributes, idempotency_key)
        return complete(self.spec.authorization.authorize(request, context, token))

    def templates(self) -> Iterator[Template]:
        """Yield all templates of the connection, for checks and for the attributes it uses."""
        yield self._endpoint
        yield from (template for _, template in self._headers)
        if self._document:
            yield from self._document.templates

    def attributes(self) -> frozenset[str]:
        """Return the names of all attributes that the connection uses or requires."""
        roots = {name.partition(".")[0] for template in self.templates() for name in template.names}
        return frozenset(roots - {CREDENTIALS} | set(self.spec.required))

    def check_attributes(self, known: Iterable[str]) -> None:
        """Raise DescriptionError if the connection uses an unknown attribute or credential."""
        names = set(known)
        for template in self.templates():
            check_names(template, names, self.spec.credentials)
        for name in self.spec.required:
            if name not in names:
                message = f'There is no attribute "{name}".{did_you_mean(name, names)}'
                raise DescriptionError("required", message)

    def _check_required(self, attributes: Mapping[str, object]) -> None:
        for name in self.spec.required:
            if is_empty(attributes.get(name)):
                raise BuildError(f'The required attribute "{name}" is missing.')

    def _url(self, scope: Scope, document: bytes) -> str:
        url, _, _ = self._endpoint.render(scope).strip().partition("#")
        if self._is_query and document:
            url += ("&" if "?" in url else "?") + document.decode()
        return url

    def _rendered_headers(
        self, scope: Scope, idempotency_key: str, *, has_body: bool
    ) -> Iterator[tuple[str, str]]:
        if has_body:
            yield "Content-Type", self._content_type
        if idempotency_key and self.spec.idempotency_header:
            yield self.spec.idempotency_header, idempotency_key
        for name, template in self._headers:
            value = template.render(scope).strip(" \t")
            if value:
                yield name, value


def build_request(
    spec: RequestSpec,
    attributes: Mapping[str, object],
    *,
    environment: str = "production",
    idempotency_key: str = "",
) -> Request:
    """Return the request for one referral, where keeping a builder does not pay."""
    builder = RequestBuilder(spec, environment)
    return builder.build(attributes, idempotency_key=idempotency_key)


def complete(request: Request) -> Request:
    """Return an authorized request as it goes over the wire: with Host and Content-Length.

    Raise BuildError where the wire could not carry it.
    """
    for name, value in request.headers:
        if _HEADER_BREAK.search(value):
            raise BuildError(f"The header {name} would hold a line break.")
        if len(value) > _MAX_HEADER_LENGTH:
            raise BuildError(f"The header {name} is longer than {_MAX_HEADER_LENGTH} characters.")
    host = _host(request.url)
    length = () if request.method == "GET" else (("Content-Length", str(len(request.body))),)
    return replace(request, headers=(("Host", host), *request.headers, *length))


def check_endpoint(source: str, field: str = "url") -> Template:
    """Return the endpoint as a template; raise DescriptionError where it can't be one."""
    if not source.isascii():
        message = "Write other than ASCII letters as they go over the wire: %C3%BC, xn--…"
        raise DescriptionError(field, message)
    _check_authority(source, field)
    return Template(source, field=field, in_url=True)


def _check_authority(source: str, field: str) -> None:
    """Raise DescriptionError if a referral could choose the host, which gets the credentials."""
    authority = _AUTHORITY.match(source.strip())
    if authority is None:
        raise DescriptionError(field, "Must be a whole URL that starts with https:// or http://.")
    if "@" in authority[1]:
        raise DescriptionError(field, "Must not hold a user name: use the authorization.")
    is_fixed = "{%" not in authority[1] and all(
        name.startswith(f"{CREDENTIALS}.")
        for name in Template(authority[1], field=field, in_url=True).names
    )
    if not is_fixed:
        message = f"The host may hold {{{{ {CREDENTIALS}.NAME }}}}, but no attribute and no tag."
        raise DescriptionError(field, message)


def _compile_endpoint(spec: RequestSpec, environment: str) -> Template:
    field = f"endpoints.{environment}"
    source = spec.endpoints.get(environment, "")
    if not source:
        raise DescriptionError(field, f"The connection has no endpoint for {environment}.")
    return check_endpoint(source, field)


def _compile_headers(spec: RequestSpec) -> Iterator[tuple[str, Template]]:
    defaults = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
    given = {name.lower() for name in spec.headers}
    for name, value in defaults.items():
        if name.lower() not in given:
            yield name, Template(value)
    for name, value in spec.headers.items():
        field = f"headers.{name}"
        _check_header(field, name, value)
        if name.lower() == "content-type":
            raise DescriptionError(field, "Set content_type instead.")
        yield name, Template(value, field=field)


def _check_authorization(spec: RequestSpec) -> None:
    """Raise DescriptionError for headers that can't be sent, whichever setting names them."""
    if spec.idempotency_header:
        _check_header("idempotency_header", spec.idempotency_header)
    _check_header("content_type", "Content-Type", spec.content_type)
    request = spec.authorization.authorize(Request(method="GET", url="https://any"), _UNSIGNED)
    for name, value in request.headers:
        _check_header("authorization", name, value)


def _check_header(field: str, name: str, value: str = "") -> None:
    if not _HEADER_NAME.fullmatch(name):
        raise DescriptionError(field, f'"{name}" can\'t be the name of a header.')
    if name.lower() in _FORBIDDEN_HEADERS:
        raise DescriptionError(field, f"The header {name} is set by the connection itself.")
    if _HEADER_BREAK.search(value):
        raise DescriptionError(field, "A header can't hold a line break.")


def _host(url: str) -> str:
    """Return the host with its port; raise BuildError if the URL can't go over the wire."""
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname)
        parts.port  # noqa: B018 - reading it raises for a port that is none.
    except ValueError:
        is_whole = False
    if not is_whole or re.search(r"[\s\0-\x1f]", url):
        raise BuildError("The endpoint is not a whole URL once its placeholders are replaced.")
    if {".", ".."} & set(parts.path.split("/")):
        raise BuildError("The endpoint's path would hold a lone dot, which leads elsewhere.")
    return parts.netloc

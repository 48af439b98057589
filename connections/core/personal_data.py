"""Mask personal data in exchanges for users without the permission to see customers' data.

Personal values are searched for, because an exchange holds them in many forms: unchanged, changed
by a filter of the connection, hashed, or in other case in the CRM's response. The rest stays
readable, so that such users can find out why a response is not recognised.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from urllib.parse import urlsplit

from connections.core.attributes import Attribute, CampaignKind, shareable
from connections.core.errors import BuildError, DescriptionError
from connections.core.masking import MASK, Mask
from connections.core.messages import Headers, Request, Response, decode, encode, find_codec
from connections.core.request.builder import RequestBuilder
from connections.core.request.spec import Environment
from connections.core.request.templates import CREDENTIALS, Scope, Template
from connections.core.spec import ConnectionSpec
from connections.core.values import to_text

_MIN_SUBSTRING_LENGTH = 4
"""Characters. A shorter value would match by chance inside of words, so only words are masked."""

_PHONE_DIGITS = 9
"""Digits at the end of a telephone number that identify it, without its country code."""

_BETWEEN_DIGITS = r"(?:[\s().\-/]|%[0-9A-Fa-f]{2}){0,4}"
_PHONE_PREFIX = r"(?:(?:\+|%2[Bb])?\d{0,5}" + _BETWEEN_DIGITS + ")?"
_PLACEHOLDER = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_EMAIL_ADDRESS = re.compile(
    r"[\w.+%'-]{1,64}(?:@|%40|\\u0040|&#(?:64|x40);)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
)
_HASH_FUNCTIONS = (hashlib.md5, hashlib.sha1, hashlib.sha256)
_DATE_FORMATS = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y%m%d")


class PersonalMask:
    """A replacer of one person's values, and of all e-mail addresses, by ••••."""

    def __init__(self, values: Iterable[str]) -> None:
        stripped = {value.strip() for value in values} - {""}
        self._substrings = Mask(value for value in stripped if len(value) >= _MIN_SUBSTRING_LENGTH)
        words = [re.escape(value) for value in stripped if len(value) < _MIN_SUBSTRING_LENGTH]
        patterns = [rf"(?<!\w)(?:{'|'.join(words)})(?!\w)"] if words else []
        patterns += [pattern for value in stripped for pattern in _phone_patterns(value)]
        self._patterns = re.compile("|".join(patterns), re.IGNORECASE) if patterns else None

    def in_text(self, text: str) -> str:
        """Return the text with the person's values masked."""
        text = _EMAIL_ADDRESS.sub(MASK, self._substrings.in_text(text))
        return self._patterns.sub(MASK, text) if self._patterns else text

    def in_bytes(self, content: bytes) -> bytes:
        """Return the content with the person's values masked."""
        # Bytes that are not UTF-8 stay unchanged.
        content = self._substrings.in_bytes(content)
        text = self.in_text(content.decode("utf-8", "surrogateescape"))
        return text.encode("utf-8", "surrogateescape")

    def in_request(self, request: Request) -> Request:
        """Return the request with the person's values masked."""
        return Request(
            method=request.method,
            url=self.in_text(request.url),
            headers=self._in_headers(request.headers),
            body=self.in_bytes(request.body),
        )

    def in_response(self, response: Response) -> Response:
        """Return the response with the person's values masked."""
        return Response(
            status=response.status,
            headers=self._in_headers(response.headers),
            body=self._in_body(response),
        )

    def _in_body(self, response: Response) -> bytes:
        charset = response.charset()
        if find_codec(charset) != "utf-8":
            text = decode(response.body, charset)
            masked = self.in_text(text)
            if masked != text:
                return encode(masked, charset)
        # A body may name another charset than the one in which it is written.
        return self.in_bytes(response.body)

    def _in_headers(self, headers: Headers) -> Headers:
        return tuple((name, self.in_text(value)) for name, value in headers)


def build_personal_mask(
    attributes: Mapping[str, object],
    catalogue: Mapping[str, Attribute],
    kind: CampaignKind = CampaignKind.LEAD_GENERATION,
    spec: ConnectionSpec | None = None,
    environment: str = Environment.PRODUCTION,
) -> PersonalMask:
    """Return the mask for one referral's attributes and, with `spec`, for their rendered forms."""
    personal = {
        key: to_text(value) for key, value in attributes.items() if is_personal(key, catalogue)
    }
    values = {form for value in personal.values() for form in _forms(value)}
    if spec is not None:
        shared = shareable(attributes, kind, catalogue)
        values |= set(_rendered(spec, environment, shared, personal.keys()))
    return PersonalMask(values)


def is_personal(key: str, catalogue: Mapping[str, Attribute]) -> bool:
    """Whether the attribute is personal data; unknown keys count as personal."""
    return key not in catalogue or catalogue[key].is_personal


def mask_email_addresses(text: str) -> str:
    """Return the text with e-mail addresses masked: some partners use them as ids."""
    return _EMAIL_ADDRESS.sub(MASK, text)


def mask_all_but_origin(request: Request) -> Request:
    """Return the request's method and origin only; the rest may come from attributes."""
    parts = urlsplit(request.url)
    return Request(method=request.method, url=f"{parts.scheme}://{parts.netloc}/{MASK}")


def _forms(value: str) -> Iterator[str]:
    """Yield the forms in which a CRM may repeat a value: other case, hashes, date formats."""
    for text in {value, value.strip()}:
        yield from (text, text.lower(), text.upper(), text.title(), text.capitalize())
    if "@" in value:
        for text in {value, value.strip(), value.strip().lower(), value.strip().upper()}:
            hashes = [new(text.encode(), usedforsecurity=False) for new in _HASH_FUNCTIONS]
            digests = [hash_.hexdigest() for hash_ in hashes]
            yield from digests
            yield from (digest.upper() for digest in digests)
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return
    yield from (day.strftime(format_) for format_ in _DATE_FORMATS)


def _phone_patterns(value: str) -> Iterator[str]:
    """Yield a pattern for a telephone number, with or without country code, however grouped."""
    digits = re.sub(r"\D", "", value)
    if len(digits) >= _PHONE_DIGITS and re.fullmatch(r"[+\d\s().\-/]+", value):
        yield _PHONE_PREFIX + _BETWEEN_DIGITS.join(digits[-_PHONE_DIGITS:])


def _rendered(
    spec: ConnectionSpec,
    environment: str,
    values: Mapping[str, object],
    personal: Iterable[str],
) -> Iterator[str]:
    """Yield the texts that the connection's placeholders and their filters make of the values."""
    try:
        templates = list(RequestBuilder(spec, environment).templates())
    except DescriptionError:
        return
    scope = Scope({**values, CREDENTIALS: spec.credentials})
    personal_keys = set(personal)
    for template in templates:
        if _uses_any(template, personal_keys):
            yield from _rendered_parts(template, scope, personal_keys)


def _uses_any(template: Template, attributes: set[str]) -> bool:
    return bool(attributes & {name.partition(".")[0] for name in template.names})


def _rendered_parts(template: Template, scope: Scope, personal: set[str]) -> Iterator[str]:
    """Yield the text of each placeholder with a personal value; of the whole if it has tags."""
    has_tags = "{%" in template.source
    sources = [template.source] if has_tags else _PLACEHOLDER.findall(template.source)
    for source in sources:
        part = Template(source)
        if _uses_any(part, personal):
            try:
                yield part.render(scope)
            except BuildError:
                continue

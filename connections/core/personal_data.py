"""What is hidden of a person from people who may not see customers' data; pure.

Personal values are looked for, because an exchange holds them in many forms: as they were handed
in, changed by a filter of the connection, hashed, or in other letters in the CRM's answer. Whoever
looks may still read the rest, and find out why an answer is not recognised. Must not know who asks.
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
from connections.core.messages import Headers, Request, Response
from connections.core.request.builder import RequestBuilder
from connections.core.request.templates import CREDENTIALS, Scope, Template
from connections.core.spec import ConnectionSpec
from connections.core.values import to_text

_MIN_SUBSTRING_LENGTH = 4
"""Letters. A shorter value would be found by chance inside of words, so it is hidden as a word."""

_DIGITS_OF_A_NUMBER = 9
_BETWEEN_DIGITS = r"(?:[\s().\-/]|%[0-9A-Fa-f]{2}){0,4}"
_BEFORE_A_NUMBER = r"(?:(?:\+|%2[Bb])?\d{0,5}" + _BETWEEN_DIGITS + ")?"
_PLACEHOLDER = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_ADDRESS = re.compile(
    r"[\w.+%'-]{1,64}(?:@|%40|\\u0040|&#(?:64|x40);)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
)
_HASHES = (hashlib.md5, hashlib.sha1, hashlib.sha256)
_DATES = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d", "%Y%m%d")


class PersonalMask:
    """Replaces one person's values, and everybody's e-mail addresses, by ••••."""

    def __init__(self, values: Iterable[str]) -> None:
        every = {value.strip() for value in values} - {""}
        self._anywhere = Mask(value for value in every if len(value) >= _MIN_SUBSTRING_LENGTH)
        words = [re.escape(value) for value in every if len(value) < _MIN_SUBSTRING_LENGTH]
        patterns = [rf"(?<!\w)(?:{'|'.join(words)})(?!\w)"] if words else []
        patterns += [pattern for value in every for pattern in _number_patterns(value)]
        self._patterns = re.compile("|".join(patterns), re.IGNORECASE) if patterns else None

    def in_text(self, text: str) -> str:
        """The text without the person."""
        text = _ADDRESS.sub(MASK, self._anywhere.in_text(text))
        return self._patterns.sub(MASK, text) if self._patterns else text

    def in_bytes(self, content: bytes) -> bytes:
        """The content without the person."""
        # Letters of other charsets pass through as they are.
        content = self._anywhere.in_bytes(content)
        text = self.in_text(content.decode("utf-8", "surrogateescape"))
        return text.encode("utf-8", "surrogateescape")

    def in_request(self, request: Request) -> Request:
        """The request without the person."""
        return Request(
            method=request.method,
            url=self.in_text(request.url),
            headers=self._in_headers(request.headers),
            body=self.in_bytes(request.body),
        )

    def in_response(self, response: Response) -> Response:
        """The response without the person."""
        return Response(
            status=response.status,
            headers=self._in_headers(response.headers),
            body=self.in_bytes(response.body),
        )

    def _in_headers(self, headers: Headers) -> Headers:
        return tuple((name, self.in_text(value)) for name, value in headers)


def personal_mask(
    attributes: Mapping[str, object],
    catalogue: Mapping[str, Attribute],
    kind: CampaignKind = CampaignKind.LEAD_GENERATION,
    spec: ConnectionSpec | None = None,
) -> PersonalMask:
    """The mask for one referral's attributes, and for what a connection makes of them."""
    personal = {
        key: to_text(value) for key, value in attributes.items() if is_personal(key, catalogue)
    }
    values = {form for value in personal.values() for form in _forms(value)}
    if spec is not None:
        values |= set(_rendered(spec, shareable(attributes, kind, catalogue), personal.keys()))
    return PersonalMask(values)


def is_personal(key: str, catalogue: Mapping[str, Attribute]) -> bool:
    """Whether the attribute is personal data; one that the catalogue has no more counts as such."""
    return key not in catalogue or catalogue[key].is_personal


def without_addresses(text: str) -> str:
    """The text without e-mail addresses, which some use as ids."""
    return _ADDRESS.sub(MASK, text)


def only_origin(request: Request) -> Request:
    """The request without all that may have come from attributes: the method and where it went."""
    parts = urlsplit(request.url)
    return Request(method=request.method, url=f"{parts.scheme}://{parts.netloc}/{MASK}")


def _forms(value: str) -> Iterator[str]:
    """A value in the ways in which a CRM may give it back."""
    for text in {value, value.strip()}:
        yield from (text, text.lower(), text.upper(), text.title(), text.capitalize())
    if "@" in value:
        for text in {value, value.strip(), value.strip().lower(), value.strip().upper()}:
            digests = [one(text.encode(), usedforsecurity=False).hexdigest() for one in _HASHES]
            yield from digests
            yield from (digest.upper() for digest in digests)
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return
    yield from (day.strftime(one) for one in _DATES)


def _number_patterns(value: str) -> Iterator[str]:
    """A telephone number however its digits are grouped, with its country code or without."""
    digits = re.sub(r"\D", "", value)
    is_number = len(digits) >= _DIGITS_OF_A_NUMBER and re.fullmatch(r"[+\d\s().\-/]+", value)
    if is_number:
        yield _BEFORE_A_NUMBER + _BETWEEN_DIGITS.join(digits[-_DIGITS_OF_A_NUMBER:])


def _rendered(
    spec: ConnectionSpec, values: Mapping[str, object], personal: Iterable[str]
) -> Iterator[str]:
    """What the connection's placeholders make of personal values, by whatever filters."""
    try:
        templates = list(RequestBuilder(spec).templates())
    except DescriptionError:
        return
    scope = Scope({**values, CREDENTIALS: spec.credentials})
    wanted = set(personal)
    for template in templates:
        if wanted & {name.partition(".")[0] for name in template.names}:
            yield from _rendered_parts(template, scope, wanted)


def _rendered_parts(template: Template, scope: Scope, personal: set[str]) -> Iterator[str]:
    """Each placeholder's own text; where tags work on the values, the whole text."""
    has_tags = "{%" in template.source
    sources = [template.source] if has_tags else _PLACEHOLDER.findall(template.source)
    for source in sources:
        part = Template(source)
        if personal & {name.partition(".")[0] for name in part.names}:
            try:
                yield part.render(scope)
            except BuildError:
                continue

"""Parse a `curl` command into a connection.

The notes name everything that was pasted and becomes no part of the connection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from connections.core.attributes import CATALOGUE, Attribute, AttributeValueError, Catalogue
from connections.core.request.authorization.static import ApiKey
from connections.core.request.bodies import body_encodings
from connections.core.request.spec import Environment
from connections.core.request.templates import has_placeholder
from connections.core.spec import ConnectionSpec
from connections.importers.curl.attribute_matching import FULL_NAME, AttributeMatch, match_attribute
from connections.importers.curl.body_values import BodyValue, PastedBody, Templates, UrlQuery
from connections.importers.curl.credentials import (
    Credentials,
    add_header,
    add_user,
    is_secret_field,
    without_stand_in,
)
from connections.importers.curl.options import CurlRequest, parse_options
from connections.importers.curl.request_parts import get_body, get_headers, get_method, get_url
from connections.importers.curl.tokenizer import split_command

_LONE_PLACEHOLDER = re.compile(r"\{\{ (\w+)(?: \| append: '')? \}\}")
_SHELL_VARIABLE = re.compile(r"\$\{[A-Za-z_]\w*\}|\$[A-Z_][A-Z0-9_]*\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One value of the pasted request, and the attribute that could take its place."""

    part: str
    value: BodyValue
    match: AttributeMatch | None = None

    @property
    def id(self) -> str:
        """The value's name among all of the request."""
        return f"{self.part}:{self.value.label}"


@dataclass(frozen=True, kw_only=True)
class ParsedCommand:
    """A parsed command; `spec` makes the connection once a person has reviewed it."""

    method: str
    url: UrlQuery
    body: PastedBody | None
    encoding: str
    content_type: str
    headers: Mapping[str, str]
    credentials: Credentials
    candidates: tuple[Candidate, ...]
    notes: tuple[str, ...]
    hidden: Mapping[str, str] = field(default_factory=dict)

    def preselected(self) -> dict[str, str]:
        """Return the templates of sure matches by candidate id."""
        return {
            candidate.id: candidate.match.template
            for candidate in self.candidates
            if candidate.match and candidate.match.is_sure
        }

    @property
    def host(self) -> str:
        """The CRM's host."""
        return urlsplit(self.url.with_templates({})).netloc

    @property
    def environment(self) -> Environment:
        """The environment that the URL seems to name."""
        url = self.url.with_templates({}).lower()
        if re.search(r"\b(staging|stage|uat|preprod)\b", url):
            return Environment.STAGING
        is_test = re.search(r"\b(sandbox|test|testing|dev)\b", url)
        return Environment.TESTING if is_test else Environment.PRODUCTION

    def spec(
        self,
        chosen: Mapping[str, str],
        *,
        name: str,
        environment: str = Environment.PRODUCTION,
        catalogue: Catalogue = CATALOGUE,
    ) -> ConnectionSpec:
        """Make the connection with the chosen templates; what they replace becomes the sample."""
        templates = {**chosen, **self.hidden}
        return ConnectionSpec(
            name=name,
            method=self.method,
            endpoints={environment: self.url.with_templates(_of("url", templates))},
            authorization=self.credentials.authorization,
            credentials=dict(self.credentials.named),
            headers=dict(self.headers),
            encoding=self.encoding,
            document=self.body.with_templates(_of("body", templates)) if self.body else "",
            content_type=self.content_type,
            required=("email",) if "{{ email }}" in chosen.values() else (),
            sample=dict(self._sample(chosen, catalogue)),
        )

    def _sample(self, chosen: Mapping[str, str], catalogue: Catalogue) -> Iterator[tuple[str, str]]:
        for candidate in self.candidates:
            template, value = chosen.get(candidate.id, ""), candidate.value.value
            first, _, last = value.partition(" ")
            if template == FULL_NAME and last:
                yield from (("first_name", first), ("last_name", last))
            found = _LONE_PLACEHOLDER.fullmatch(template)
            if found and _is_possible(catalogue.get(found[1]), value):
                yield found[1], value


def parse_curl(text: str, catalogue: Catalogue = CATALOGUE) -> ParsedCommand:
    """Parse a pasted command; raise CurlError naming the part not understood."""
    command = split_command(text)
    request = parse_options(command.words)
    notes = list(_notes(request, command.rest))
    credentials = Credentials()
    if request.user is not None:
        add_user(credentials, request.user)
    if request.bearer:
        add_header(credentials, "Authorization", f"Bearer {request.bearer}")
    url = UrlQuery(get_url(request, credentials, notes))
    headers, content_type = get_headers(request, credentials, notes)
    encoding, body = get_body(request, content_type, notes)
    hidden = _hide_query(url, credentials) | _hide_fields(body, credentials)
    notes += _missing(credentials)
    own_type = body_encodings[encoding].content_type
    return ParsedCommand(
        method=get_method(request),
        url=url,
        body=body,
        encoding=encoding,
        content_type="" if content_type in ("", own_type) or body is None else content_type,
        headers=headers,
        credentials=credentials,
        candidates=tuple(_candidates(url, body, hidden, catalogue)),
        notes=tuple(notes),
        hidden=hidden,
    )


def _notes(request: CurlRequest, rest: str) -> Iterator[str]:
    if request.left_out:
        yield f"Left out, as they say nothing about the request: {', '.join(request.left_out)}."
    if rest:
        yield f"Left out, as it follows the command: {rest}"
    pasted = " ".join([*request.urls, *request.data, *(value for _, value in request.fields)])
    variables = dict.fromkeys(_SHELL_VARIABLE.findall(pasted))
    if variables:
        yield f"Shell variables stand as they are; put in their values: {', '.join(variables)}."


def _hide_query(url: UrlQuery, credentials: Credentials) -> dict[str, str]:
    """Move credentials out of the URL: the first is the authorization, others get names."""
    hidden = {}
    for value in url.values():
        is_key = value.name == "key" or is_secret_field(value.name)
        if not value.label.startswith("?") or not value.value or not is_key:
            continue
        if credentials.has_authorization or has_placeholder(value.value):
            hidden[f"url:{value.label}"] = credentials.name(value.name, value.value)
        else:
            url.drop(value.label)
            key = ApiKey(location="query", name=value.label[1:], key=without_stand_in(value.value))
            credentials.set_authorization(key, f"API key in the query parameter {value.name}.")
    return hidden


def _hide_fields(body: PastedBody | None, credentials: Credentials) -> dict[str, str]:
    return {
        f"body:{value.label}": credentials.name(value.name, value.value)
        for value in (body.values() if body else [])
        if value.is_text and value.value and is_secret_field(value.name) and "{{" not in value.value
    }


def _missing(credentials: Credentials) -> Iterator[str]:
    authorization = credentials.authorization
    secrets = [one for one in authorization.settings() if one.is_secret]
    labels = [one.label for one in secrets if not getattr(authorization, one.name)]
    labels += [name for name, value in credentials.named.items() if not value]
    for label in labels:
        yield f"{label}: the command only has a stand-in for it. Enter the real one."


def _candidates(
    url: UrlQuery, body: PastedBody | None, hidden: Mapping[str, str], catalogue: Catalogue
) -> Iterator[Candidate]:
    parts = [("url", url), *([("body", body)] if body else [])]
    for part, pasted in parts:
        for value in pasted.values():
            candidate = Candidate(part=part, value=value)
            found = match_attribute(value.name, value.value, catalogue, is_text=value.is_text)
            is_worth_it = part == "body" or value.label.startswith("?") or found
            if candidate.id not in hidden and value.value and is_worth_it:
                yield replace(candidate, match=found)


def _of(part: str, templates: Templates) -> dict[str, str]:
    return {
        label.removeprefix(f"{part}:"): template
        for label, template in templates.items()
        if label.startswith(f"{part}:")
    }


def _is_possible(attribute: Attribute | None, value: str) -> bool:
    if attribute is None:
        return False
    try:
        return attribute.clean(value) is not None
    except AttributeValueError:
        return False

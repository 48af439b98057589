"""Factories of specs, requests and responses."""

from collections.abc import Mapping
from datetime import UTC, datetime

from connections.core.messages import Exchange, Headers, Request, Response
from connections.core.request.authorization import SigningContext
from connections.core.request.bodies import EmptyValues, body_encodings
from connections.core.request.builder import RequestBuilder
from connections.core.request.templates import Scope
from connections.core.response.matching import ResponseHandling, classify
from connections.core.response.outcomes import Outcome
from connections.core.response.parsed import ParsedResponse
from connections.core.response.rules import Rule
from connections.core.spec import ConnectionSpec

NOW = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
CONTEXT = SigningContext(moment=NOW, message_id="msg_1")
FETCHED_TOKEN = "fetched-token"
URL = "https://crm.example/leads"

Content = str | bytes


def spec(**fields: object) -> ConnectionSpec:
    defaults = {"name": "Any CRM", "endpoints": {"production": URL}}
    return ConnectionSpec(**(defaults | fields))  # type: ignore[arg-type]


def build(attributes: Mapping[str, object] | None = None, **fields: object) -> Request:
    builder = RequestBuilder(spec(**fields))
    return builder.build(attributes or {}, context=CONTEXT, token=FETCHED_TOKEN)


def body(encoding: str, document: str, empty: str = "omit", **values: object) -> bytes:
    parsed = body_encodings[encoding]().parse(document)
    return parsed.render(Scope(values), EmptyValues(empty))


def header(request: Request, name: str) -> str | None:
    return next((value for given, value in request.headers if given == name), None)


def exchange(
    status: int, content: Content = b"", headers: Headers = (), request: Request | None = None
) -> Exchange:
    raw = content.encode() if isinstance(content, str) else content
    return Exchange(
        request=request or Request(method="POST", url=URL),
        response=Response(status=status, headers=headers, body=raw),
        finished_at=NOW,
    )


def parse_response(
    content: Content = b"", headers: Headers = (), status: int = 200
) -> ParsedResponse:
    response = exchange(status, content, headers).response
    assert response is not None
    return ParsedResponse(response)


def rule(outcome: str = "delivered", **fields: object) -> Rule:
    value = fields.pop("value", ())
    values = (value,) if isinstance(value, str) else value
    return Rule(outcome=Outcome(outcome), value=values, **fields)  # type: ignore[arg-type]


def outcome(rules: list[Rule], status: int, content: Content = b"", headers: Headers = ()) -> str:
    return classify(
        ResponseHandling(rules=tuple(rules)), exchange(status, content, headers)
    ).outcome.value

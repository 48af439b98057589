"""What an authorization is; must not know any particular kind, nor how a token is fetched."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import quote

from connections.core.messages import Exchange, Request
from connections.core.registry import Kind, Registry

_NO_MOMENT = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What one attempt brings along: a fetched token, the moment, and the message's stable name.

    Only who sends knows the moment; a request that is merely shown has the first one of all.
    """

    token: str = ""
    moment: datetime = _NO_MOMENT
    message_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A fetched token and for how many seconds from now it is good."""

    value: str
    lifetime: float


@dataclass(frozen=True, kw_only=True)
class Authorization(Kind):
    """How a request proves who sends it. All of it is pure: a kind that needs a token says which
    request fetches one, and the client asks for it."""

    def authorize(self, request: Request, ticket: Ticket) -> Request:  # noqa: ARG002
        """The request with its proof; called last, when everything else is in place."""
        return request

    def derived_secrets(self) -> tuple[str, ...]:
        """Texts that hold a secret in a form that masking would not find by the secret itself."""
        return ()

    def token_request(self) -> Request | None:
        """The request that fetches a token, or None for kinds that need none."""
        return None

    def read_token(self, exchange: Exchange) -> Token:
        """The token in the answer to `token_request`; raises TokenRefused."""
        raise NotImplementedError


class TokenError(Exception):
    """No token came back; the message is one sentence for a person, without credentials."""


authorizations: Registry[type[Authorization]] = Registry("authorization.kind", "authorization")


def with_header(request: Request, name: str, value: str) -> Request:
    """The request with one more header, in place of any that it has under this name."""
    kept = tuple(header for header in request.headers if header[0].lower() != name.lower())
    return replace(request, headers=(*kept, (name, value)))


def with_query(request: Request, name: str, value: str) -> Request:
    """The request with one more query parameter."""
    separator = "&" if "?" in request.url else "?"
    pair = f"{quote(name, safe='')}={quote(value, safe='')}"
    return replace(request, url=f"{request.url}{separator}{pair}")

"""What an authorization is: a generator of requests in the manner of httpx, without any I/O."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import final
from urllib.parse import quote

from connections.core.messages import ErrorCode, Exchange, Request
from connections.core.registry import Kind, Registry

STAND_IN_TOKEN = "test-token"  # noqa: S105 - it opens nothing.
"""The token in a request that is only shown."""

_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningContext:
    """What a signature may cover besides the request: the moment and the message's stable id.

    Only the sender knows the moment; a request that is only shown has the epoch.
    """

    moment: datetime = _EPOCH
    message_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A fetched token and the seconds for which it is valid."""

    value: str
    lifetime: float


class TokenError(Exception):
    """No token came back; the message is one sentence for a person, without credentials.

    `code` is the reason in the words of an exchange: nothing was sent to the CRM.
    """

    def __init__(self, message: str, code: ErrorCode) -> None:
        super().__init__(message)
        self.code = code


class TokenRefusedError(TokenError):
    """The token server refused the credentials; trying again does not help."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ErrorCode.TOKEN)


class TokenUnavailableError(TokenError):
    """No token came back, but the credentials were not refused; trying again may help."""

    def __init__(self, message: str, code: ErrorCode = ErrorCode.CONNECT_FAILED) -> None:
        super().__init__(message, code)


@dataclass(frozen=True, slots=True)
class TokenNeeded:
    """A step of a flow that asks for a token: any valid one, except the one the CRM refused."""

    authorization: TokenAuthorization
    refused: str = ""


Flow = Generator[Request | TokenNeeded, str, None]
"""The steps of one attempt. `send()` takes the answer to the last step: the token that was asked
for, or the outcome of the request."""


@dataclass(frozen=True, kw_only=True)
class Authorization(Kind):
    """How a request proves who sends it."""

    def flow(self, request: Request, context: SigningContext) -> Flow:  # noqa: ARG002
        """Yield the request with its proof; everything else of it is in place.

        A kind that needs a token yields TokenNeeded first. What is yielded after the first
        request's outcome is sent as part of the same attempt.
        """
        yield request

    @final
    def authorize(
        self, request: Request, context: SigningContext, token: str = STAND_IN_TOKEN
    ) -> Request:
        """Return the first request of the flow, for showing it; ask nobody for a token."""
        flow = self.flow(request, context)
        step = next(flow)
        while isinstance(step, TokenNeeded):
            step = flow.send(token)
        return step

    def derived_secrets(self) -> tuple[str, ...]:
        """Return texts that hold a secret in a form that masking does not find by the secret."""
        return ()


@dataclass(frozen=True, kw_only=True)
class TokenAuthorization(Authorization, ABC):
    """An authorization whose flow asks for tokens, which TokenCache fetches and keeps."""

    @abstractmethod
    def token_request(self) -> Request:
        """Return the request that fetches a token."""

    @abstractmethod
    def read_token(self, exchange: Exchange) -> Token:
        """Return the token in the response to `token_request`; raise TokenError without one."""


authorizations: Registry[type[Authorization]] = Registry("authorization.kind", "authorization")


def with_header(request: Request, name: str, value: str) -> Request:
    """Return the request with this header in place of any of the same name."""
    kept = tuple(header for header in request.headers if header[0].lower() != name.lower())
    return replace(request, headers=(*kept, (name, value)))


def with_query(request: Request, name: str, value: str) -> Request:
    """Return the request with one more query parameter."""
    separator = "&" if "?" in request.url else "?"
    pair = f"{quote(name, safe='')}={quote(value, safe='')}"
    return replace(request, url=f"{request.url}{separator}{pair}")

"""OAuth 2 client credentials (RFC 6749, section 4.4), with oauthlib's parser."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar
from urllib.parse import quote, urlsplit

from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error

from connections.core.errors import DescriptionError
from connections.core.masking import Mask
from connections.core.messages import ErrorCode, Exchange, Request
from connections.core.registry import setting
from connections.core.request.authorization.base import (
    Flow,
    SigningContext,
    Token,
    TokenAuthorization,
    TokenError,
    TokenNeeded,
    TokenRefusedError,
    TokenUnavailableError,
    authorizations,
    with_header,
)
from connections.core.response.outcomes import Outcome

_DEFAULT_LIFETIME_SECONDS = 300.0
"""For token servers that leave `expires_in` out, which RFC 6749 allows."""

_MAX_LIFETIME_SECONDS = 86_400.0
_MAX_REASON_LENGTH = 500
_TEMPORARY_STATUSES = {408, 425, 429, *range(500, 600)}
_UNREADABLE = (
    OAuth2Error,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


@authorizations.register("oauth2_client_credentials")
@dataclass(frozen=True, kw_only=True)
class OAuth2ClientCredentials(TokenAuthorization):
    kind: ClassVar[str] = "oauth2_client_credentials"
    label: ClassVar[str] = "Client ID and secret (OAuth 2)"
    help: ClassVar[str] = "A token is fetched, shared by all workers, and renewed in time."

    token_url: str = setting("Token URL", required=True)
    client_id: str = setting("Client ID", required=True)
    client_secret: str = setting("Client secret", secret=True, required=True)
    scope: str = setting("Scope", help="Several with spaces, as the CRM's documentation says.")
    audience: str = setting("Audience")
    extra: str = setting(
        "Extra parameters", help="As a=b&c=d, for token servers that ask for more."
    )
    client_authentication: str = setting(
        "Send the client's secret",
        choices=(("basic", "In the Authorization header"), ("body", "In the body")),
        default="basic",
    )

    def __post_init__(self) -> None:
        if self.token_url and not _is_whole_url(self.token_url):
            message = "Must be a whole URL that starts with https:// or http://."
            raise DescriptionError("token_url", message)

    def flow(self, request: Request, context: SigningContext) -> Flow:  # noqa: ARG002
        token = yield TokenNeeded(self)
        outcome = yield _with_token(request, token)
        if outcome == Outcome.UNAUTHORIZED:
            renewed = yield TokenNeeded(self, refused=token)
            if renewed != token:
                yield _with_token(request, renewed)

    def derived_secrets(self) -> tuple[str, ...]:
        return (self._basic(),)

    def token_request(self) -> Request:
        client = BackendApplicationClient(self.client_id)
        in_body = self.client_authentication == "body"
        body = client.prepare_request_body(
            body=self.extra,
            include_client_id=in_body,
            scope=" ".join(self.scope.split()),
            audience=self.audience,
            client_secret=self.client_secret if in_body else None,
        )
        headers = [
            ("Accept", "application/json"),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ]
        if not in_body:
            headers.append(("Authorization", f"Basic {self._basic()}"))
        return Request(
            method="POST",
            url=self.token_url,
            headers=tuple(headers),
            body=body.encode(),
            mask=Mask((self.client_secret, self._basic())),
        )

    def read_token(self, exchange: Exchange) -> Token:
        if exchange.response is None:
            why = exchange.error.message if exchange.error else "No answer came."
            raise _token_error(exchange, f"The token could not be fetched. {why}")
        client = BackendApplicationClient(self.client_id)
        try:
            # Without the scope that was asked for, since a server may word the granted one anew.
            token = client.parse_request_body_response(exchange.response.text())
            return Token(value=_text(token["access_token"]), lifetime=_lifetime(token))
        except _UNREADABLE as error:
            why = getattr(error, "error", None) or "no token in it"
            message = f"The token server answered with status {exchange.response.status} ({why})."
            raise _token_error(exchange, message) from error

    def _basic(self) -> str:
        # RFC 6749, section 2.3.1: both parts are form-encoded before they are joined.
        pair = f"{quote(self.client_id, safe='')}:{quote(self.client_secret, safe='')}"
        return base64.b64encode(pair.encode()).decode()


def _is_whole_url(text: str) -> bool:
    try:
        urlsplit(text)
    except ValueError:  # A bracket without its pair, for one.
        return False
    return re.match(r"https?://[^/?#\s]", text) is not None


def _with_token(request: Request, token: str) -> Request:
    masked = replace(request, mask=request.mask.with_secret(token))
    return with_header(masked, "Authorization", f"Bearer {token}")


def _token_error(exchange: Exchange, message: str) -> TokenError:
    """Return the error for a response without a token: refused credentials, or what may pass."""
    text = exchange.request.mask.in_text(message)[:_MAX_REASON_LENGTH]
    if exchange.error and exchange.error.code is ErrorCode.BLOCKED_ADDRESS:
        return TokenUnavailableError(text, ErrorCode.BLOCKED_ADDRESS)
    if exchange.error or exchange.response is None:
        return TokenUnavailableError(text)
    is_temporary = exchange.response.status in _TEMPORARY_STATUSES
    return TokenUnavailableError(text) if is_temporary else TokenRefusedError(text)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("A token is a text.")
    return value


def _lifetime(token: Mapping[str, object]) -> float:
    try:
        seconds = float(str(token.get("expires_in")))
    except ValueError:
        return _DEFAULT_LIFETIME_SECONDS
    return min(max(seconds, 0.0), _MAX_LIFETIME_SECONDS)

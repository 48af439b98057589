"""The kinds of authorization; importing this package registers them all."""

from connections.core.request.authorization import oauth2, signature, static
from connections.core.request.authorization.base import (
    Authorization,
    Flow,
    SigningContext,
    Token,
    TokenAuthorization,
    TokenError,
    TokenNeeded,
    TokenRefusedError,
    TokenUnavailableError,
    authorizations,
)

__all__ = [
    "Authorization",
    "Flow",
    "SigningContext",
    "Token",
    "TokenAuthorization",
    "TokenError",
    "TokenNeeded",
    "TokenRefusedError",
    "TokenUnavailableError",
    "authorizations",
    "oauth2",
    "signature",
    "static",
]

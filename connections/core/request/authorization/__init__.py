"""The kinds of authorization; importing this package registers them all."""

from connections.core.request.authorization import oauth2, signature, static
from connections.core.request.authorization.base import (
    Authorization,
    Ticket,
    Token,
    TokenError,
    authorizations,
)

__all__ = [
    "Authorization",
    "Ticket",
    "Token",
    "TokenError",
    "authorizations",
    "oauth2",
    "signature",
    "static",
]

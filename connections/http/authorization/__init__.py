"""The kinds of authorization; importing this package registers them all."""

from connections.http.authorization import oauth2, signature, static
from connections.http.authorization.base import (
    Authorization,
    Ticket,
    Token,
    TokenRefused,
    authorizations,
)

__all__ = [
    "Authorization",
    "Ticket",
    "Token",
    "TokenRefused",
    "authorizations",
    "oauth2",
    "signature",
    "static",
]

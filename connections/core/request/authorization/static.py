"""Authorizations that send the same proof with every request."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import ClassVar

from connections.core.messages import Request
from connections.core.registry import setting
from connections.core.request.authorization.base import (
    Authorization,
    Flow,
    SigningContext,
    authorizations,
    with_header,
    with_query,
)


@authorizations.register("none")
@dataclass(frozen=True, kw_only=True)
class None_(Authorization):  # noqa: N801 - the design's word; None is taken.
    kind: ClassVar[str] = "none"
    label: ClassVar[str] = "None"
    help: ClassVar[str] = "The CRM asks for no credentials, or they stand in the body."


@authorizations.register("basic")
@dataclass(frozen=True, kw_only=True)
class Basic(Authorization):
    kind: ClassVar[str] = "basic"
    label: ClassVar[str] = "User name and password"
    help: ClassVar[str] = "HTTP Basic authorization."

    username: str = setting("User name")
    password: str = setting("Password", secret=True, required=True)

    def flow(self, request: Request, context: SigningContext) -> Flow:  # noqa: ARG002
        yield with_header(request, "Authorization", f"Basic {self._encoded()}")

    def derived_secrets(self) -> tuple[str, ...]:
        return (self._encoded(),)

    def _encoded(self) -> str:
        return base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


@authorizations.register("api_key")
@dataclass(frozen=True, kw_only=True)
class ApiKey(Authorization):
    kind: ClassVar[str] = "api_key"
    label: ClassVar[str] = "API key"
    help: ClassVar[str] = "A key in a header or in the query string."

    location: str = setting(
        "Where", choices=(("header", "Header"), ("query", "Query parameter")), default="header"
    )
    name: str = setting("Name", help="Of the header or parameter: X-Api-Key", required=True)
    prefix: str = setting("Prefix", help="Stands before the key: Klaviyo-API-Key")
    key: str = setting("Key", secret=True, required=True)

    def flow(self, request: Request, context: SigningContext) -> Flow:  # noqa: ARG002
        value = f"{self.prefix.strip()} {self.key}".strip()
        add = with_header if self.location == "header" else with_query
        yield add(request, self.name, value)


@authorizations.register("bearer")
@dataclass(frozen=True, kw_only=True)
class Bearer(Authorization):
    kind: ClassVar[str] = "bearer"
    label: ClassVar[str] = "Bearer token"
    help: ClassVar[str] = "A token that does not expire, in the Authorization header."

    token: str = setting("Token", secret=True, required=True)

    def flow(self, request: Request, context: SigningContext) -> Flow:  # noqa: ARG002
        yield with_header(request, "Authorization", f"Bearer {self.token}")

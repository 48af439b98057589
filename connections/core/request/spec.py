"""The part of a connection's description that its requests are built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from connections.core.request.authorization import Authorization
from connections.core.request.authorization.static import None_
from connections.core.request.bodies import EmptyValues

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Environment(StrEnum):
    """The CRM's systems; a test must never reach the production one by accident."""

    PRODUCTION = "production"
    STAGING = "staging"
    TESTING = "testing"


@dataclass(frozen=True, kw_only=True)
class RequestSpec:
    """The part of a connection from which its requests are built, for one environment."""

    method: str = "POST"
    endpoints: Mapping[str, str] = field(default_factory=dict)
    authorization: Authorization = field(default_factory=None_)
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    encoding: str = "json"
    document: str = ""
    content_type: str = ""
    required: tuple[str, ...] = ()
    empty_values: EmptyValues = EmptyValues.OMIT
    idempotency_header: str = "Idempotency-Key"

    def secrets(self) -> tuple[str, ...]:
        """Return all secrets, which are masked wherever a request is stored or shown."""
        return (
            *self.authorization.secrets().values(),
            *self.authorization.derived_secrets(),
            *self.credentials.values(),
        )

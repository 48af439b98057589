"""Decide who sees customers' data in an exchange, and hide it from everybody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.core.exceptions import ImproperlyConfigured

from connections.core.attributes import CampaignKind
from connections.core.errors import DescriptionError
from connections.core.masking import MASK
from connections.core.messages import Request, Response
from connections.core.personal_data import PersonalMask, build_personal_mask, mask_all_but_origin
from connections.core.request.spec import Environment
from connections.core.spec import ConnectionSpec
from connections.mapping.to_spec import build_spec
from connections.models import Connection, ConnectionTest, ExchangeRecord
from connections.models.exchanges import KEPT_BODY_BYTES
from connections.permissions import PermissionHolder, can_view_customer_data

_MAX_PARTIAL_BYTES = 512
"""Bytes at the end of a cut body; half of a value may stand there, which no mask finds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """What hides one person in the exchanges of one connection.

    `valid_since` is when the connection became what the mask was made for. It is None where its
    description can't be read; then nobody knows what it made of the person.
    """

    mask: PersonalMask
    valid_since: datetime | None

    def hides_request(self, record: ExchangeRecord) -> bool:
        """Return True if the mask may miss what the connection then made of the person."""
        return self.valid_since is None or self.valid_since > record.started_at

    def redact_request(self, record: ExchangeRecord) -> Request:
        """Return the record's request without the person."""
        request = record.request()
        if self.hides_request(record):
            return mask_all_but_origin(request)
        masked = self.mask.in_request(request)
        return replace(masked, body=_without_partial_value(masked.body, request.body))

    def redact_response(self, record: ExchangeRecord) -> Response | None:
        """Return the record's response without the person."""
        response = record.response()
        if response is None:
            return None
        masked = self.mask.in_response(response)
        # In a charset of wide letters that the response doesn't name, no value would be found.
        if "\0" in masked.text():
            return replace(masked, body=MASK.encode())
        return replace(masked, body=_without_partial_value(masked.body, response.body))


def build_redaction(
    user: PermissionHolder,
    *,
    connection_id: int,
    attributes: Mapping[str, object],
    kind: str = CampaignKind.LEAD_GENERATION,
    environment: str = Environment.PRODUCTION,
) -> Redaction | None:
    """Return what hides the person with these attributes; None if the user may see everything.

    Query the connection with all its rows.
    """
    if can_view_customer_data(user):
        return None
    connection = Connection.objects.with_everything().get(pk=connection_id)
    spec = _readable_spec(connection, environment)
    mask = build_personal_mask(
        attributes, connection.account.catalogue(), CampaignKind(kind), spec, environment
    )
    return Redaction(mask=mask, valid_since=connection.changed_at if spec else None)


def build_test_redaction(
    test: ConnectionTest, user: PermissionHolder, *, can_change: bool
) -> Redaction | None:
    """Return what hides the person in a test; None if the user may see everything.

    Whoever may change the connection chose the sample attributes, or could read them there. Others
    need the permission, since somebody may have tested with a person who exists.
    """
    if can_change:
        return None
    return build_redaction(
        user,
        connection_id=test.connection_id,
        attributes=test.attributes,
        environment=test.environment,
    )


def _readable_spec(connection: Connection, environment: str) -> ConnectionSpec | None:
    try:
        return build_spec(connection, environment)
    except (DescriptionError, ImproperlyConfigured):
        return None


def _without_partial_value(masked: bytes, stored: bytes) -> bytes:
    if len(stored) < KEPT_BODY_BYTES:
        return masked
    kept = masked[:-_MAX_PARTIAL_BYTES]
    return kept + MASK.encode()

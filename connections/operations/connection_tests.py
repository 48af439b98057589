"""Test a connection: send its sample attributes and record the result."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from connections.attempt import Attempt, PreparedConnection
from connections.core.errors import DescriptionError
from connections.core.response.outcomes import Outcome
from connections.core.spec import ConnectionSpec
from connections.importers.files import sample_attributes
from connections.models import Connection, ConnectionTest
from connections.models.exchanges import exchange_columns
from connections.transport.shared import shared_client

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def spec_to_test(connection: Connection, environment: str = "") -> ConnectionSpec:
    """What a test would send with; raises DescriptionError where there is nothing to send to."""
    environment = environment or connection.test_environment
    spec = connection.spec(environment)
    if environment not in spec.endpoints:
        raise DescriptionError(
            f"endpoints.{environment}",
            f"The connection has no endpoint for {environment}: add one, or choose another "
            "environment for tests under Settings.",
        )
    return spec


def run_test(
    connection: Connection,
    *,
    environment: str = "",
    attributes: dict[str, Any] | None = None,
    by: User | None = None,
) -> ConnectionTest:
    """Send the sample attributes to one of the CRM's systems and keep what came of it.

    `environment` is the connection's own choice unless named. Raises DescriptionError where the
    connection has no endpoint for it.
    """
    environment = environment or connection.test_environment
    spec = spec_to_test(connection, environment)
    values = {**sample_attributes(spec, connection.account.catalogue()), **(attributes or {})}
    started_at = datetime.now(UTC)
    attempt = PreparedConnection(spec, environment).attempt(
        shared_client(), values, f"test-{connection.pk}-{started_at.timestamp():.0f}"
    )
    return ConnectionTest.objects.create(
        connection=connection,
        # Its parts were read after this: whatever changed in between makes it another one.
        connection_changed_at=connection.changed_at,
        environment=environment,
        attributes=values,
        expected_outcome=connection.expected_test_outcome,
        is_good=_is_as_expected(attempt.meaning.outcome, connection.expected_test_outcome),
        requested_by=by,
        started_at=started_at,
        **_columns(attempt),
    )


def _is_as_expected(outcome: Outcome, expected: str) -> bool:
    return outcome == expected if expected else outcome.is_success


def _columns(attempt: Attempt) -> dict[str, Any]:
    return exchange_columns(attempt.exchange, attempt.meaning, attempt.rule)

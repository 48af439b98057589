"""What people do to connections: link, unlink, test. Doors (admin, API, commands) call these.

Must not know what happens to referrals.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from connections.attempt import Attempt, PreparedConnection
from connections.core.attributes import CampaignKind, examples, shareable
from connections.core.errors import DescriptionError
from connections.core.personal_data import without_addresses
from connections.core.response.outcomes import Outcome
from connections.core.spec import ConnectionSpec
from connections.importers.files import sample_attributes
from connections.models import Campaign, Connection, ConnectionTest, Link
from connections.models.exchanges import exchange_columns
from connections.transport.shared import shared_client

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class LinkRefused(Exception):  # noqa: N818 - it says what happened to the link.
    """A campaign can't be linked; the message says why and what would help."""


class CampaignAlreadyLinked(LinkRefused):
    """The campaign is linked to this connection already."""


class NotLinked(LinkRefused):
    """There is no such link to take away."""


def link_campaign(campaign: Campaign, *, connection: Connection, by: User | None) -> Link:
    """From now on, send the campaign's referrals to the connection; raises LinkRefused."""
    _refuse_another_account(campaign, connection)
    _refuse_what_may_not_be_shared(campaign, connection)
    try:
        with transaction.atomic():
            return Link.objects.create(
                campaign=campaign, connection=connection, linked_at=timezone.now(), linked_by=by
            )
    except IntegrityError as error:
        message = f"{campaign} is linked to {connection} already."
        raise CampaignAlreadyLinked(message) from error


def unlink_campaign(campaign: Campaign, *, connection: Connection, by: User | None) -> Link:
    """From now on, send no more of the campaign's referrals there; raises NotLinked.

    What waits already is still delivered.
    """
    with transaction.atomic():
        link = (
            Link.objects.select_for_update()
            .active()
            .filter(campaign=campaign, connection=connection)
            .first()
        )
        if link is None:
            raise NotLinked(f"{campaign} is not linked to {connection}.")
        link.unlinked_at, link.unlinked_by = timezone.now(), by
        link.save(update_fields=["unlinked_at", "unlinked_by"])
    return link


def withheld_attributes(connection: Connection, kind: str) -> list[str]:
    """What the connection needs and a campaign of this kind may not share."""
    catalogue = connection.account.catalogue()
    shared = shareable(examples(catalogue), CampaignKind(kind), catalogue)
    return [name for name in connection.required_attributes if name not in shared]


def pause_connection(connection: Connection, *, reason: str = "") -> bool:
    """Send nothing until it is released; what comes in waits. False if it was not active."""
    return _change_state(connection.pk, Connection.State.ACTIVE, Connection.State.PAUSED, reason)


def hold_connection(connection_id: int, *, reason: str) -> bool:
    """Send nothing until a person has looked; False if it was not active already."""
    return _change_state(connection_id, Connection.State.ACTIVE, Connection.State.HELD, reason)


def release_connection(connection: Connection) -> bool:
    """Send again; False if nothing kept it from that."""
    # Whatever the caller read before: a worker may have held it since.
    rows = Connection.objects.filter(pk=connection.pk).exclude(state=Connection.State.ACTIVE)
    return rows.update(state=Connection.State.ACTIVE, state_reason="") == 1


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


def _change_state(connection_id: int, before: str, after: str, reason: str) -> bool:
    # One conditional update, so that of two workers with the same bad news only one tells it.
    rows = Connection.objects.filter(pk=connection_id, state=before)
    # The reason may be the CRM's own words about a person, and everybody reads it.
    return rows.update(state=after, state_reason=without_addresses(reason)[:500]) == 1


def _is_as_expected(outcome: Outcome, expected: str) -> bool:
    return outcome == expected if expected else outcome.is_success


def _columns(attempt: Attempt) -> dict[str, Any]:
    return exchange_columns(attempt.exchange, attempt.meaning, attempt.rule)


def _refuse_another_account(campaign: Campaign, connection: Connection) -> None:
    if campaign.account_id != connection.account_id:
        raise LinkRefused(f"{campaign} and {connection} belong to different accounts.")


def _refuse_what_may_not_be_shared(campaign: Campaign, connection: Connection) -> None:
    withheld = withheld_attributes(connection, campaign.kind)
    if withheld:
        kind = CampaignKind(campaign.kind).label.lower()
        raise LinkRefused(
            f"{connection} needs {', '.join(withheld)}, which a campaign of the kind {kind} "
            f"may not share. Link a campaign of another kind, or make the attribute optional."
        )

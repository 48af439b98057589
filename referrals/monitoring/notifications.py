"""Mail to the people of a connection when it opens, is held or recovers; not too often.

Must not know what made it happen.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from connections.models import Connection
from referrals.models import BreakerState, Delivery
from referrals.throttling.breaker import Event

NOTIFICATION_INTERVAL = timedelta(minutes=15)
"""The same news of a connection is mailed once in this time, so that a flapping CRM fills no
inbox."""

_SUBJECTS = {
    Event.OPENED: "{connection} can't be reached; its referrals wait",
    Event.CLOSED: "{connection} answers again",
    Event.HELD: "{connection} is held: somebody must look",
    Event.RELEASED: "{connection} was released",
}


def send_notification(connection_id: int, event: Event, reason: str) -> int:
    """Mail the technical contacts and the account's members; returns how many, 0 if too soon."""
    connection = Connection.objects.select_related("account").get(pk=connection_id)
    recipients = _recipients(connection)
    if not recipients or not claim_notification(connection_id, event, timezone.now()):
        return 0
    context = {
        "connection": connection,
        "event": event.value,
        "reason": reason,
        "waiting": Delivery.objects.pending().filter(connection=connection).count(),
        "url": f"{settings.BASE_URL}{connection.get_absolute_url()}",
    }
    message = EmailMultiAlternatives(
        subject=_SUBJECTS[event].format(connection=connection),
        body=render_to_string("referrals/notification.txt", context),
        bcc=recipients,
    )
    message.attach_alternative(
        render_to_string("referrals/notification.html", context), "text/html"
    )
    message.send()
    return len(recipients)


def _recipients(connection: Connection) -> list[str]:
    contacts = connection.technical_contacts.values_list("email", flat=True)
    members = connection.account.members.filter(is_active=True).values_list("email", flat=True)
    return sorted({address for address in [*contacts, *members] if address})


def claim_notification(connection_id: int, event: Event, now: datetime) -> bool:
    """Whether this was not told lately; if so, it is told from now on."""
    BreakerState.objects.bulk_create([BreakerState(pk=connection_id)], ignore_conflicts=True)
    with transaction.atomic():
        row = BreakerState.objects.select_for_update().get(pk=connection_id)
        notified_at = row.notified_at.get(event.value)
        if notified_at and now - datetime.fromisoformat(notified_at) < NOTIFICATION_INTERVAL:
            return False
        row.notified_at[event.value] = now.isoformat()
        row.save(update_fields=["notified_at"])
    return True

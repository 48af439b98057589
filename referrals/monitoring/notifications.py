"""Mail the people of a connection when its breaker opens or closes, or it is held or released."""

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
"""The same event of a connection is mailed once in this time, so that a CRM that fails and
recovers repeatedly does not fill inboxes."""

_SUBJECTS = {
    Event.OPENED: "{connection} can't be reached; its referrals wait",
    Event.CLOSED: "{connection} answers again",
    Event.HELD: "{connection} is held: somebody must look",
    Event.RELEASED: "{connection} was released",
}


def send_notification(connection_id: int, event: Event, reason: str) -> int:
    """Mail the technical contacts and the account's members; return how many.

    Return 0 if there are none, or if the same event was mailed within NOTIFICATION_INTERVAL.
    """
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
    """Record that this event is mailed now.

    Return False if it was mailed within NOTIFICATION_INTERVAL. If several workers call this at the
    same time, one of them gets True.
    """
    BreakerState.objects.insert_missing([connection_id])
    with transaction.atomic():
        [row] = BreakerState.objects.lock([connection_id])
        notified_at = row.notified_at.get(event.value)
        if notified_at and now - datetime.fromisoformat(notified_at) < NOTIFICATION_INTERVAL:
            return False
        row.notified_at[event.value] = now.isoformat()
        row.save(update_fields=["notified_at"])
    return True

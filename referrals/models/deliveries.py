"""Deliveries and their attempts; `referrals.leases` writes their columns in bulk, by SQL."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models

from connections.core.response.outcomes import Outcome
from connections.models import Campaign, Connection, ExchangeRecord
from connections.models.querysets import ScopedQuerySet
from referrals.models.referrals import Referral
from referrals.models.sendable import is_sendable
from referrals.statuses import NEEDING_A_PERSON, DeliveryStatus, Trigger

_ATTEMPT_MARGIN = timedelta(seconds=5)
"""How long a claim may wait in its worker's queue, and its result until it is recorded."""


def attempt_timeout() -> timedelta:
    """Return how long after its claim an attempt is recorded at the latest, if its worker lives."""
    return timedelta(seconds=settings.DELIVERY_TOTAL_TIMEOUT) + _ATTEMPT_MARGIN


def lost_until(now: datetime) -> datetime:
    """Return the moment up to which claims are lost, not slow.

    A lost claim counts against no limit and says nothing of the CRM. Its lease lasts longer all the
    same: nobody else may send what a worker that is only late could still send.
    """
    return now - attempt_timeout()


class DeliveryQuerySet(ScopedQuerySet["Delivery"]):
    """Querysets for deliveries."""

    account_path = "connection__account"

    def pending(self) -> DeliveryQuerySet:
        """Return the deliveries that wait for an attempt or are in flight."""
        return self.filter(status=DeliveryStatus.PENDING)

    def due(self, now: datetime) -> DeliveryQuerySet:
        """Return the deliveries whose time has come, those whose lease has ended among them."""
        return self.filter(due_at__lte=now)

    def claimable(self, now: datetime) -> DeliveryQuerySet:
        """Return the due deliveries whose connection may be sent to.

        A claim may take fewer: limits of rate and of attempts in flight pass within a moment.
        """
        return self.due(now).filter(is_sendable(now, path="connection__"))

    def in_flight(self, now: datetime) -> DeliveryQuerySet:
        """Return the deliveries that a worker has claimed, unless claim or lease is over.

        A claim is over once it is lost, see `lost_until`.
        """
        return self.filter(claimed_at__gt=lost_until(now), due_at__gt=now)


class DeliveryAttemptQuerySet(ScopedQuerySet["DeliveryAttempt"]):
    """Querysets for delivery attempts."""

    account_path = "delivery__connection__account"


class Delivery(models.Model):
    """One referral to one connection.

    `due_at` is when the next attempt may begin and, while the delivery is claimed, when the lease
    ends; it is empty once no attempt comes by itself. `attempt_number` counts claims: a worker may
    record a result only under the number that it claimed. `attempts_used` counts the attempts of
    the schedule that are used up. `campaign` is the referral's; it is repeated here so that one
    index finds a campaign's latest deliveries among millions.
    """

    # The constraint and the indexes below begin with these keys, so they need none of their own.
    referral = models.ForeignKey(
        Referral, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    connection = models.ForeignKey(
        Connection, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    status = models.CharField(
        max_length=16,
        choices=[(status.value, status.capitalize()) for status in DeliveryStatus],
        default=DeliveryStatus.PENDING.value,
    )
    outcome = models.CharField(
        "last outcome",
        max_length=16,
        blank=True,
        choices=[(outcome.value, outcome.capitalize()) for outcome in Outcome],
    )
    due_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    attempt_number = models.PositiveIntegerField(default=0)
    attempts_used = models.PositiveSmallIntegerField(
        default=0, help_text="How many attempts of the schedule are used up."
    )
    next_trigger = models.CharField(
        max_length=8, choices=[(trigger.value, trigger.capitalize()) for trigger in Trigger],
        default=Trigger.FIRST.value,
    )  # fmt: skip
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["referral", "connection"], name="delivery_once_to_a_connection"
            ),
            models.CheckConstraint(
                condition=models.Q(status="pending", due_at__isnull=False)
                | (~models.Q(status="pending") & models.Q(due_at=None, claimed_at=None)),
                name="delivery_is_due_while_pending",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=[one.value for one in DeliveryStatus]),
                name="delivery_status_is_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["connection", "due_at"],
                condition=models.Q(due_at__isnull=False),
                name="delivery_due",
            ),
            models.Index(
                fields=["connection"],
                condition=models.Q(claimed_at__isnull=False),
                name="delivery_claimed",
            ),
            # The dashboard counts these each time; few deliveries ever wait for a person.
            models.Index(
                fields=["status", "connection"],
                condition=models.Q(status__in=[one.value for one in NEEDING_A_PERSON]),
                name="delivery_needs_a_person",
            ),
            # The log's filters, each in the order of the log, the newest first.
            models.Index(fields=["connection", "id"], name="delivery_of_connection"),
            models.Index(fields=["campaign", "id"], name="delivery_of_campaign"),
            models.Index(fields=["status", "id"], name="delivery_status"),
            models.Index(fields=["created_at"], name="delivery_created_at"),
        ]

    def __str__(self) -> str:
        return f"{self.referral} → {self.connection}"

    @property
    def idempotency_key(self) -> str:
        """Return the key that all attempts of this delivery carry, and those of no other."""
        return idempotency_key(self.referral_id, self.connection_id)


class DeliveryAttempt(ExchangeRecord):
    """One exchange of a delivery.

    A claim that was given back without sending leaves a gap in the numbers.
    """

    delivery = models.ForeignKey(
        Delivery, on_delete=models.PROTECT, related_name="attempts", db_index=False
    )
    number = models.PositiveIntegerField()
    trigger = models.CharField(
        max_length=8, choices=[(trigger.value, trigger.capitalize()) for trigger in Trigger]
    )

    objects = DeliveryAttemptQuerySet.as_manager()

    class Meta:
        ordering = ["delivery", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["delivery", "number"], name="attempt_number_in_delivery"
            )
        ]
        indexes = [
            models.Index(fields=["started_at"], name="attempt_started_at"),
            models.Index(fields=["response_status", "delivery"], name="attempt_status_code"),
            models.Index(fields=["error_code", "delivery"], name="attempt_error_code"),
            models.Index(
                fields=["reference"], opclasses=["varchar_pattern_ops"], name="attempt_reference"
            ),
        ]

    def __str__(self) -> str:
        return f"Attempt {self.number}: {self.outcome}"


def idempotency_key(referral_id: object, connection_id: int) -> str:
    """Return the key by which a CRM recognises two requests for the same delivery."""
    return f"{referral_id}-{connection_id}"

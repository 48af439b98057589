"""Deliveries and their attempts; `claims` writes them in bulk and knows these columns."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from connections.core.response.outcomes import Outcome
from connections.models import Campaign, Connection, ExchangeRecord
from connections.models.scoping import ScopedQuerySet
from referrals.models.referrals import Referral
from referrals.statuses import NEEDING_A_PERSON, DeliveryStatus, Trigger


class DeliveryQuerySet(ScopedQuerySet["Delivery"]):
    """Questions about deliveries."""

    account_path = "connection__account"

    def pending(self) -> DeliveryQuerySet:
        """The deliveries that still wait for an attempt or are under way."""
        return self.filter(status=DeliveryStatus.PENDING)

    def claimable(self, now: datetime) -> DeliveryQuerySet:
        """The deliveries that a worker may take now, but for limits that pass within a moment."""
        is_awake = models.Q(connection__breaker__open_until=None) | models.Q(
            connection__breaker__open_until__lte=now
        )
        return self.filter(is_awake, due_at__lte=now, connection__state=Connection.State.ACTIVE)

    def in_flight(self) -> DeliveryQuerySet:
        """The deliveries that a worker has in hand, or had when it died."""
        return self.filter(claimed_at__isnull=False)


class DeliveryAttemptQuerySet(ScopedQuerySet["DeliveryAttempt"]):
    """Questions about delivery attempts."""

    account_path = "delivery__connection__account"


class Delivery(models.Model):
    """One referral to one connection.

    `due_at` is when the next attempt may begin and, while one is under way, when its lease ends;
    it is empty once no attempt comes by itself. `attempt_number` counts claims: a worker may record
    a result only under the number that it claimed. The campaign is the referral's, and stands here
    as well so that one index finds a campaign's latest deliveries among millions.
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
                name="delivery_under_way",
            ),
            # The dashboard counts these each time; few deliveries ever wait for a person.
            models.Index(
                fields=["status", "connection"],
                condition=models.Q(status__in=[one.value for one in NEEDING_A_PERSON]),
                name="delivery_needs_a_person",
            ),
            # The log's filters, each in the log's own order: the newest first.
            models.Index(fields=["connection", "id"], name="delivery_of_connection"),
            models.Index(fields=["campaign", "id"], name="delivery_of_campaign"),
            models.Index(fields=["status", "id"], name="delivery_status"),
            models.Index(fields=["created_at"], name="delivery_created_at"),
        ]

    def __str__(self) -> str:
        return f"{self.referral} → {self.connection}"

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt of this delivery, and for no other."""
        return idempotency_key(self.referral_id, self.connection_id)


class DeliveryAttempt(ExchangeRecord):
    """One exchange of a delivery; a number without an attempt was claimed and given back unsent."""

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
    """The key that tells a CRM that two requests mean one delivery."""
    return f"{referral_id}-{connection_id}"

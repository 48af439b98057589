"""Referrals as they were accepted."""

from __future__ import annotations

from django.db import models
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Lower

from connections.core.personal_data import mask_email_addresses
from connections.models import Campaign
from connections.models.querysets import ScopedQuerySet
from referrals.uuid7 import uuid7


class ReferralQuerySet(ScopedQuerySet["Referral"]):
    """Querysets for referrals."""

    account_path = "campaign__account"


class Referral(models.Model):
    """One lead as the intake accepted it; never changed afterwards."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, related_name="referrals", db_index=False
    )
    external_id = models.CharField("external ID", max_length=200)
    attributes = models.JSONField(default=dict)
    email = models.GeneratedField(
        expression=Lower(KeyTextTransform("email", "attributes")),
        output_field=models.TextField(),
        db_persist=True,
        help_text="The attribute in lower case: people are found by it.",
    )
    occurred_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField()

    objects = ReferralQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        permissions = [("view_customer_data", "Can see customers' personal data")]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "external_id"], name="referral_external_id_in_campaign"
            ),
            models.CheckConstraint(
                condition=~models.Q(external_id=""), name="referral_has_external_id"
            ),
        ]
        indexes = [
            models.Index(fields=["campaign", "id"], name="referral_in_campaign"),
            models.Index(fields=["email"], name="referral_email"),
            models.Index(
                fields=["external_id"],
                opclasses=["varchar_pattern_ops"],
                name="referral_external_id",
            ),
        ]

    def __str__(self) -> str:
        # Titles and histories show it to people who may not see customers' data.
        return mask_email_addresses(self.external_id)

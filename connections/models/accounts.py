"""Accounts with their campaigns and custom attributes."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from connections.core.attributes import CATALOGUE, Attribute, AttributeType, CampaignKind
from connections.core.request.templates import CREDENTIALS
from connections.models.choices import ATTRIBUTE_TYPE_CHOICES, CAMPAIGN_KIND_CHOICES
from connections.models.querysets import ScopedQuerySet

_KEY = RegexValidator(
    r"^[a-z][a-z0-9_]*\Z", "Lower-case letters, digits and underscores, a letter first."
)


def make_campaign_key() -> str:
    """Return a new key for a campaign in the intake API: not secret, but not guessable either."""
    return f"cmp_{secrets.token_hex(8)}"


class AccountQuerySet(ScopedQuerySet["Account"]):
    """Querysets for accounts."""

    account_path = "pk"


class CampaignQuerySet(ScopedQuerySet["Campaign"]):
    """Querysets for campaigns."""


class CustomAttributeQuerySet(ScopedQuerySet["CustomAttribute"]):
    """Querysets for custom attributes."""


class Account(models.Model):
    """One advertiser; users see the accounts that they are members of."""

    name = models.CharField(max_length=200, unique=True)
    slug = models.SlugField(max_length=100, unique=True, help_text="Names the account in commands.")
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="accounts", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AccountQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def catalogue(self) -> dict[str, Attribute]:
        """Return the attributes that the account's referrals may have: the catalogue's and its own.

        The catalogue's attribute wins where an account has used the key before the catalogue.
        """
        own = {row.key: row.to_attribute() for row in self.custom_attributes.all()}
        # The catalogue stands first for its order, and last because it wins.
        return {**CATALOGUE, **own, **CATALOGUE}


class Campaign(models.Model):
    """A campaign of an account: each referral belongs to one."""

    class Status(models.TextChoices):
        LIVE = "live", "Live"
        PAUSED = "paused", "Paused"
        ARCHIVED = "archived", "Archived"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="campaigns")
    name = models.CharField(max_length=200)
    key = models.SlugField(
        max_length=64,
        unique=True,
        default=make_campaign_key,
        help_text="Names the campaign in the intake API.",
    )
    kind = models.CharField(
        max_length=32,
        choices=CAMPAIGN_KIND_CHOICES,
        help_text="Decides which attributes its referrals may share.",
    )
    status = models.CharField(max_length=16, choices=Status, default=Status.LIVE)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["account", "name"], name="campaign_name_in_account"),
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind.value for kind in CampaignKind]),
                name="campaign_kind_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["live", "paused", "archived"]),
                name="campaign_status_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CustomAttribute(models.Model):
    """An attribute that one account has in addition to the catalogue."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="custom_attributes")
    key = models.CharField(max_length=64, validators=[_KEY])
    label = models.CharField(max_length=200)
    type = models.CharField(
        max_length=16,
        choices=ATTRIBUTE_TYPE_CHOICES,
        default=AttributeType.TEXT.value,
    )
    example = models.CharField(max_length=500, blank=True)
    is_personal = models.BooleanField(
        default=True, help_text="Personal data is shared by lead generation campaigns only."
    )

    objects = CustomAttributeQuerySet.as_manager()

    class Meta:
        ordering = ["key"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "key"], name="custom_attribute_key_in_account"
            ),
        ]

    def __str__(self) -> str:
        return self.label

    def clean(self) -> None:
        """Raise ValidationError if the key is the catalogue's or reserved."""
        if self.key in CATALOGUE or self.key == CREDENTIALS:
            raise ValidationError({"key": f'"{self.key}" means something else already.'})

    def to_attribute(self) -> Attribute:
        """Return the row as an attribute like the catalogue's."""
        every_kind = frozenset(CampaignKind)
        return Attribute(
            key=self.key,
            label=self.label,
            type=AttributeType(self.type),
            example=self.example,
            is_personal=self.is_personal,
            shared_by=frozenset({CampaignKind.LEAD_GENERATION}) if self.is_personal else every_kind,
        )

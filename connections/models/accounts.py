"""Accounts and what they own beside connections; must not know how anything is delivered."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from connections.core.attributes import CATALOGUE, Attribute, AttributeType, CampaignKind
from connections.core.request.templates import CREDENTIALS
from connections.models.scoping import ScopedQuerySet

_KEY = RegexValidator(
    r"^[a-z][a-z0-9_]*\Z", "Lower-case letters, digits and underscores, a letter first."
)


def make_campaign_key() -> str:
    """A key that names a campaign to the outside: no secret, but not to be guessed by counting."""
    return f"cmp_{secrets.token_hex(8)}"


class AccountQuerySet(ScopedQuerySet["Account"]):
    """Questions about accounts."""

    account_path = "pk"


class CampaignQuerySet(ScopedQuerySet["Campaign"]):
    """Questions about campaigns."""


class CustomAttributeQuerySet(ScopedQuerySet["CustomAttribute"]):
    """Questions about custom attributes."""


class Account(models.Model):
    """One advertiser; staff see the accounts that they are members of."""

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
        """The attributes that this account's referrals may carry: everybody's and its own.

        A name that is everybody's means the same for all, whoever had it first.
        """
        own = {row.key: row.as_attribute() for row in self.custom_attributes.all()}
        return {**CATALOGUE, **own, **CATALOGUE}


class Campaign(models.Model):
    """What a referral came in for."""

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
        choices=[(kind.value, kind.label) for kind in CampaignKind],
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
                condition=models.Q(kind__in=[one.value for one in CampaignKind]),
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
    """An attribute that one account has beside the catalogue."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="custom_attributes")
    key = models.CharField(max_length=64, validators=[_KEY])
    label = models.CharField(max_length=200)
    type = models.CharField(
        max_length=16,
        choices=[(kind.value, kind.value.capitalize()) for kind in AttributeType],
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
        """Refuse a key that means something else already."""
        if self.key in CATALOGUE or self.key == CREDENTIALS:
            raise ValidationError({"key": f'"{self.key}" means something else already.'})

    def as_attribute(self) -> Attribute:
        """The row as the catalogue's own kind of value."""
        everybody = frozenset(CampaignKind)
        return Attribute(
            key=self.key,
            label=self.label,
            type=AttributeType(self.type),
            example=self.example,
            is_personal=self.is_personal,
            shared_by=frozenset({CampaignKind.LEAD_GENERATION}) if self.is_personal else everybody,
        )

"""Links between campaigns and connections, with their history."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from connections.models.accounts import Campaign
from connections.models.connections import Connection
from connections.models.querysets import ScopedQuerySet


class LinkQuerySet(ScopedQuerySet["Link"]):
    """Querysets for links."""

    account_path = "connection__account"

    def active(self) -> LinkQuerySet:
        """Return the links that have not ended."""
        return self.filter(unlinked_at=None)


class Link(models.Model):
    """One period in which a campaign's referrals go to a connection; active until unlinked."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="links")
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="links")
    linked_at = models.DateTimeField()
    linked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True,
        related_name="+",
    )  # fmt: skip
    unlinked_at = models.DateTimeField(null=True, blank=True)
    unlinked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True,
        related_name="+",
    )  # fmt: skip

    objects = LinkQuerySet.as_manager()

    class Meta:
        ordering = ["-linked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "connection"],
                condition=models.Q(unlinked_at=None),
                name="link_on_once",
            ),
            models.CheckConstraint(
                condition=models.Q(unlinked_at=None)
                | models.Q(unlinked_at__gte=models.F("linked_at")),
                name="link_ends_after_it_began",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} → {self.connection}"

    @property
    def is_active(self) -> bool:
        """Whether the campaign's new referrals go to the connection."""
        return self.unlinked_at is None

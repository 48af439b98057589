"""Endpoints of a CRM, and the advertiser's technical contacts."""

from __future__ import annotations

from django.db import models

from connections.core.request.spec import Environment
from connections.models.choices import ENVIRONMENT_CHOICES
from connections.models.connections import Connection
from connections.models.fields import EncryptedJSONField


class Endpoint(models.Model):
    """The URL of one of the CRM's environments, with its own credentials where they differ."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="endpoints")
    environment = models.CharField(
        max_length=16,
        choices=ENVIRONMENT_CHOICES,
        default=Environment.PRODUCTION.value,
    )
    url = models.CharField("URL", max_length=2000, help_text="May hold placeholders.")
    secrets = EncryptedJSONField()

    class Meta:
        ordering = ["environment"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "environment"], name="endpoint_for_each_environment"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    environment__in=[environment.value for environment in Environment]
                ),
                name="endpoint_environment_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_environment_display()}: {self.url}"


class TechnicalContact(models.Model):
    """The advertiser's contact for questions about the connection."""

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="technical_contacts"
    )
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=200, blank=True, help_text="Technical support")
    email = models.EmailField()
    phone = models.CharField(max_length=50, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "email"], name="contact_once_a_connection"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"

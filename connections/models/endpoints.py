"""Where a CRM's systems are reached, and who at the advertiser answers questions about it."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models

from connections.core.errors import DescriptionError
from connections.core.request.builder import check_endpoint
from connections.core.spec import Environment
from connections.models.connections import ENVIRONMENT_CHOICES, Connection
from connections.models.fields import EncryptedJSONField


class Endpoint(models.Model):
    """Where one of the CRM's systems is reached, with its own credentials where they differ."""

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
                condition=models.Q(environment__in=[one.value for one in Environment]),
                name="endpoint_environment_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_environment_display()}: {self.url}"

    def clean(self) -> None:
        """Refuse a text that can't be an endpoint."""
        try:
            check_endpoint(self.url)
        except DescriptionError as error:
            raise ValidationError({"url": error.message}) from error


class TechnicalContact(models.Model):
    """Who at the advertiser answers questions about the connection."""

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

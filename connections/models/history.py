"""The history of every row: who changed it, when, and by what way in (`Door`)."""

from __future__ import annotations

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models


class Door(models.TextChoices):
    """The way a change came in: a page of the admin, a command, the API or a worker."""

    ADMIN = "admin", "Admin"
    COMMAND = "command", "Command"
    API = "api", "API"
    WORKER = "worker", "Worker"


class HistoryQuerySet(models.QuerySet["HistoryEntry"]):
    """Querysets for history entries."""

    def of(self, model: type[models.Model], key: object) -> HistoryQuerySet:
        """Return the entries of one row of the model."""
        return self.filter(content_type=get_content_type(model), object_id=str(key))


class HistoryEntry(models.Model):
    """One change of one row.

    Django's LogEntry requires a user, which commands and workers don't have. An entry stores no
    name of its row, which may be a person's e-mail address.
    """

    # The index below begins with this column, so it needs none of its own.
    content_type = models.ForeignKey(
        ContentType, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    object_id = models.CharField(max_length=64)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True,
        related_name="+",
    )  # fmt: skip
    door = models.CharField(max_length=8, choices=Door)
    login = models.CharField(
        max_length=150, blank=True, help_text="The operating system's name for who ran a command."
    )
    message = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = HistoryQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name_plural = "history entries"
        # Whoever may view a row may read its history on the row's page; nobody changes it.
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(door__in=["admin", "command", "api", "worker"]),
                name="history_door_is_known",
            ),
        ]
        indexes = [
            models.Index(fields=["content_type", "object_id", "-created_at"], name="history_of_row")
        ]

    def __str__(self) -> str:
        return self.message

    @property
    def who(self) -> str:
        """The user's name, or else the login of whoever ran the command, or else an empty text."""
        return self.user.get_username() if self.user else self.login


def get_content_type(model: type[models.Model]) -> ContentType:
    """Return the content type that the model's entries have; a proxy model has its own."""
    return ContentType.objects.get_for_model(model, for_concrete_model=False)

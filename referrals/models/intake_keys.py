"""The keys of the intake API: shown once, stored as a hash."""

from __future__ import annotations

import hashlib
import secrets

from django.db import models

from connections.models import Account
from connections.models.querysets import ScopedQuerySet

_PREFIX = "rk_"
_START_LENGTH = 8


class IntakeKeyQuerySet(ScopedQuerySet["IntakeKey"]):
    """Querysets for intake keys."""


class IntakeKey(models.Model):
    """One account's key for the intake API."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="intake_keys")
    name = models.CharField(max_length=200, help_text="Who uses it.")
    start = models.CharField(max_length=16, editable=False, help_text="Its first characters.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = IntakeKeyQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.start}…)"


def make_token() -> str:
    """Return a random token. Its 256 bits are too many to need a slow hash."""
    return f"{_PREFIX}{secrets.token_urlsafe(32)}"


def digest(token: str) -> str:
    """Return the hash under which a token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def issue_key(key: IntakeKey) -> str:
    """Save a new key with a random token, and return the token, which is stored nowhere."""
    token = make_token()
    key.start, key.digest = token[:_START_LENGTH], digest(token)
    key.save()
    return token

"""The keys of the intake API: shown once, kept hashed; must not know what they open."""

from __future__ import annotations

import hashlib
import secrets

from django.db import models

from connections.models import Account
from connections.models.scoping import ScopedQuerySet

_PREFIX = "rk_"
_SHOWN = 8


class IntakeKeyQuerySet(ScopedQuerySet["IntakeKey"]):
    """Questions about intake keys."""


class IntakeKey(models.Model):
    """One account's key for handing in referrals."""

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
    """A new key's text: 256 random bits, too many to need a slow hash."""
    return f"{_PREFIX}{secrets.token_urlsafe(32)}"


def digest(token: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(token.encode()).hexdigest()


def issue_key(key: IntakeKey) -> str:
    """Save a new key with a fresh token, and return the token, which nothing keeps."""
    token = make_token()
    key.start, key.digest = token[:_SHOWN], digest(token)
    key.save()
    return token

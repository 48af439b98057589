"""Who sees which rows: staff see what belongs to the accounts that they are members of.

Must not know pages or permissions; every list, filter, autocomplete and direct id asks here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

from django.apps import apps
from django.db import models

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

ModelT = TypeVar("ModelT", bound=models.Model)


class ScopedQuerySet(models.QuerySet[ModelT, ModelT]):
    """Rows that belong to an account; subclasses say over which path."""

    account_path: ClassVar[str] = "account"

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The rows of the user's accounts; all of them for a superuser."""
        if user.is_superuser:
            return self
        # The accounts as a subquery: a join to their members would double rows and break updates.
        accounts = apps.get_model("connections", "Account").objects.filter(members=user.pk)
        return self.filter(**{f"{self.account_path}__in": accounts.values("pk")})

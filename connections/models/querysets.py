"""The base queryset of every model whose rows belong to an account."""

from __future__ import annotations

from typing import ClassVar, Self, TypeVar

from django.contrib.auth.models import AnonymousUser, User
from django.db import models

ModelT = TypeVar("ModelT", bound=models.Model)


class ScopedQuerySet(models.QuerySet[ModelT, ModelT]):
    """Querysets for rows that belong to an account; `account_path` is the lookup to it.

    Every list, filter, autocomplete and view uses `visible_to` for the rows that a user may see.
    """

    account_path: ClassVar[str] = "account"

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Return the rows of the accounts whose member the user is; for a superuser all rows."""
        if user.is_superuser:
            return self
        if user.is_anonymous:
            return self.none()
        # The accounts as a subquery: a join to their members would double rows and refuse updates.
        return self.filter(**{f"{self.account_path}__in": user.accounts.all()})

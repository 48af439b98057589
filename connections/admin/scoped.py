"""A mixin for every admin: users see, choose and open only rows of their accounts.

The models' querysets select those rows (`ScopedQuerySet.visible_to`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest

from connections.models import Account
from connections.models.querysets import ScopedQuerySet

_ACCOUNT = "account"

if TYPE_CHECKING:
    _Base = admin.ModelAdmin[Any]
else:
    _Base = object

ModelT = TypeVar("ModelT", bound=Model)


def visible(rows: QuerySet[ModelT], user: User | AnonymousUser) -> QuerySet[ModelT]:
    """Return the rows that the user may see; those that belong to no account are for all."""
    return rows.visible_to(user) if isinstance(rows, ScopedQuerySet) else rows


class ScopedRelatedFilter(admin.RelatedFieldListFilter):
    """A list filter whose choices are the rows that the user may see."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin[Any]  # noqa: ANN401
    ) -> list[Any]:  # fmt: skip
        model = field.remote_field.model
        own = visible(model._default_manager.all(), request.user)
        choices: list[Any] = field.get_choices(
            include_blank=False,
            ordering=self.field_admin_ordering(field, request, model_admin),
            limit_choices_to={"pk__in": own.order_by().values("pk")},
        )
        return choices


class AccountScoped(_Base):
    """Limits lists, choices, filters, actions and URLs to the user's accounts.

    A row of another account is answered with 404, so that ids reveal nothing. The account of a
    saved row can't be changed.
    """

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = visible(super().get_queryset(request), request.user)
        # Set the ordering explicitly: annotate(Count) drops Meta.ordering.
        return rows if rows.query.order_by else rows.order_by(*self.model._meta.ordering)

    def get_field_queryset(
        self, db: str | None, db_field: Any, request: HttpRequest  # noqa: ANN401 - as its base.
    ) -> QuerySet[Any]:  # fmt: skip
        """Return the choices of a foreign key or a many-to-many field."""
        rows = super().get_field_queryset(db, db_field, request)
        if rows is None:
            rows = db_field.remote_field.model._default_manager.using(db)
        return visible(rows.all(), request.user)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [self._scope_filter(item) for item in super().get_list_filter(request)]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow lookups of the list's filters only; others would let users guess hidden columns."""
        names = [_get_parameter(item) for item in self.list_filter]
        is_filter = any(f"{lookup}__".startswith(f"{name}__") for name in names)
        return is_filter and super().lookup_allowed(lookup, value, request)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        fields = list(super().get_readonly_fields(request, obj))
        return [*fields, _ACCOUNT] if obj is not None and self._has_account() else fields

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return Django's initial data, with the account of a user who has only one."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        if self._has_account() and _ACCOUNT not in initial:
            own = list(
                visible(Account.objects.all(), request.user).values_list("pk", flat=True)[:2]
            )
            if len(own) == 1:
                initial[_ACCOUNT] = own[0]
        return initial

    def _scope_filter(self, list_filter: Any) -> Any:  # noqa: ANN401 - any kind of list filter.
        is_name = isinstance(list_filter, str) and "__" not in list_filter
        if is_name and self.model._meta.get_field(list_filter).is_relation:
            return (list_filter, ScopedRelatedFilter)
        return list_filter

    def _has_account(self) -> bool:
        return any(field.name == _ACCOUNT for field in self.model._meta.get_fields())

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str  # noqa: ANN401, ARG002
    ) -> NoReturn:  # fmt: skip
        # Django would redirect to the index with a message; an unknown id gets a plain 404.
        raise Http404


def _get_parameter(list_filter: Any) -> str:  # noqa: ANN401 - any kind of list filter.
    """Return the start of the filter's query parameter."""
    if isinstance(list_filter, tuple):
        return str(list_filter[0])
    return str(getattr(list_filter, "parameter_name", list_filter))

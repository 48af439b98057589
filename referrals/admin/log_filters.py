"""The filters of the delivery log; each is a query parameter and a field of its form.

Each uses an index whose last column is the delivery's id, so that the newest are found first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from connections.admin.scoped import visible
from connections.core.messages import ErrorCode
from connections.core.response.outcomes import Outcome
from connections.models import Account, Campaign, Connection
from referrals.admin.paging import MAX_COUNT
from referrals.models import Delivery, DeliveryAttempt
from referrals.statuses import DeliveryStatus, final_status

_MAX_INSERT_DELAY = timedelta(minutes=1)
"""A row gets its id when it is inserted, at most this long after its `created_at`."""

Choices = Iterable[tuple[str, str]]


class LogFilter(SimpleListFilter):
    """A field of the form above the log; `kind` is `select` or the type of its `<input>`."""

    template = "referrals/includes/filter.html"
    kind = "select"
    placeholder = "All"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401, ARG002
        return ()

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        value = (self.value() or "").strip()
        return self.filter(queryset, value) if value else queryset

    def filter(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        """Return the rows that fit the value. Raise IncorrectLookupParameters if it is invalid."""
        raise NotImplementedError

    def choices(self, changelist: ChangeList) -> Iterator[Any]:  # noqa: ARG002 - Django's signature.
        selected = self.value() or ""
        for value, label in self.lookup_choices:
            yield {"value": value, "display": label, "selected": str(value) == selected}


class _VisibleRowFilter(LogFilter):
    """A choice among the rows of one model that the user may see."""

    model: type[Model]
    path: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401, ARG002
        return [(str(row.pk), str(row)) for row in self._get_rows(request)]

    def filter(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(**{self.path: _parse_number(value)})

    def _get_rows(self, request: HttpRequest) -> QuerySet[Any]:
        return visible(self.model._default_manager.all(), request.user).order_by("name")


class AccountFilter(_VisibleRowFilter):
    """By account.

    The query lists the ids of its connections, so that the planner can use their statistics.
    """

    title, parameter_name, model, path = "account", "account", Account, "connection__in"

    def filter(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        connections = Connection.objects.filter(account=_parse_number(value)).values_list(
            "pk", flat=True
        )
        return rows.filter(connection__in=list(connections))


class CampaignFilter(_VisibleRowFilter):
    """By campaign."""

    title, parameter_name, model, path = "campaign", "campaign", Campaign, "campaign"

    def _get_rows(self, request: HttpRequest) -> QuerySet[Any]:
        return super()._get_rows(request).only("name")


class ConnectionFilter(_VisibleRowFilter):
    """By connection."""

    title, parameter_name, model, path = "connection", "connection", Connection, "connection"

    def _get_rows(self, request: HttpRequest) -> QuerySet[Any]:
        return super()._get_rows(request).only("name")


class StatusFilter(LogFilter):
    """By the status of the delivery."""

    title, parameter_name = "status", "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401, ARG002
        return [(status.value, status.capitalize()) for status in DeliveryStatus]

    def filter(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(status=value)


class OutcomeFilter(LogFilter):
    """By the outcome of the last attempt, including pending deliveries."""

    title, parameter_name = "last outcome", "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401, ARG002
        return [(outcome.value, outcome.capitalize()) for outcome in Outcome]

    def filter(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        try:
            finished = final_status(Outcome(value))
        except ValueError as error:
            raise IncorrectLookupParameters from error
        # The possible statuses are named as well, because they have an index.
        statuses = {finished, DeliveryStatus.PENDING, DeliveryStatus.CANCELLED}
        return rows.filter(outcome=value, status__in=sorted(statuses))


class StatusCodeFilter(LogFilter):
    """By the status code of any response."""

    title, parameter_name, kind, placeholder = "status code", "code", "number", "503"

    def filter(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(_has_attempt(response_status=_parse_number(value)))


class ErrorCodeFilter(LogFilter):
    """By the error code of any attempt."""

    title, parameter_name = "error", "error"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401, ARG002
        return [(code.value, code.replace("_", " ").capitalize()) for code in ErrorCode]

    def filter(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(_has_attempt(error_code=value))


class SinceFilter(LogFilter):
    """By acceptance: at or after a time."""

    title, parameter_name, kind = "accepted since (UTC)", "since", "datetime-local"

    def filter(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        time = _parse_datetime(value)
        since = time - _MAX_INSERT_DELAY
        later = Delivery.objects.filter(created_at__gte=since).order_by("created_at")
        # The id is limited as well, because the log is ordered by it.
        first_id = later.values_list("pk", flat=True).first()
        return rows.filter(created_at__gte=time, pk__gte=first_id or 0)


class UntilFilter(LogFilter):
    """By acceptance: before a time."""

    title, parameter_name, kind = "accepted before (UTC)", "until", "datetime-local"

    def filter(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        time = _parse_datetime(value)
        until = time + _MAX_INSERT_DELAY
        earlier = Delivery.objects.filter(created_at__lt=until).order_by("-created_at")
        last_id = earlier.values_list("pk", flat=True).first()
        return rows.filter(created_at__lt=time, pk__lte=last_id or 0)


LOG_FILTERS = (
    AccountFilter,
    CampaignFilter,
    ConnectionFilter,
    StatusFilter,
    OutcomeFilter,
    StatusCodeFilter,
    ErrorCodeFilter,
    SinceFilter,
    UntilFilter,
)


def _has_attempt(**columns: object) -> Q:
    """Return the condition that a delivery has an attempt with these values.

    If few attempts match, it is a subquery of their deliveries' ids; if many do, a correlated
    EXISTS, which the LIMIT of the page can stop early.
    """
    attempts = DeliveryAttempt.objects.order_by().filter(**columns)
    if attempts[: MAX_COUNT + 1].count() <= MAX_COUNT:
        return Q(pk__in=attempts.values("delivery"))
    return Q(Exists(attempts.filter(delivery=OuterRef("pk"))))


def _parse_number(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) <= 18):
        raise IncorrectLookupParameters
    return int(value)


def _parse_datetime(value: str) -> datetime:
    try:
        time = datetime.fromisoformat(value)
    except ValueError as error:
        raise IncorrectLookupParameters from error
    return time if timezone.is_aware(time) else timezone.make_aware(time)

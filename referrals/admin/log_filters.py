"""The filters of the delivery log: each one parameter of the address and one field of a form.

Each is answered by an index that has the delivery behind it, so that the newest are found first.
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
from referrals.admin.paging import MAX_COUNTED
from referrals.models import Delivery, DeliveryAttempt
from referrals.statuses import DeliveryStatus, final_status

_SKEW = timedelta(minutes=1)
"""Rows are numbered when they are written, and written up to this long after their own time."""

Choices = Iterable[tuple[str, str]]


class LogFilter(SimpleListFilter):
    """One field of the form above the log; `kind` says which."""

    template = "referrals/includes/filter.html"
    kind = "select"
    placeholder = "All"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401, ARG002
        return ()

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        value = (self.value() or "").strip()
        return self.narrow(queryset, value) if value else queryset

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        """The rows that fit the value; raises IncorrectLookupParameters."""
        raise NotImplementedError

    def choices(self, changelist: ChangeList) -> Iterator[Any]:  # noqa: ARG002 - Django's signature.
        chosen = self.value() or ""
        for value, label in self.lookup_choices:
            yield {"value": value, "display": label, "selected": str(value) == chosen}


class _OwnRows(LogFilter):
    """A choice among rows of the user's accounts."""

    model: type[Model]
    path: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401, ARG002
        return [(str(row.pk), str(row)) for row in self._own(request)]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(**{self.path: _number(value)})

    def _own(self, request: HttpRequest) -> QuerySet[Any]:
        return visible(self.model._default_manager.all(), request.user).order_by("name")


class AccountFilter(_OwnRows):
    """By advertiser: its connections are named to the database, which then knows their shares."""

    title, parameter_name, model, path = "account", "account", Account, "connection__in"

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        connections = Connection.objects.filter(account=_number(value)).values_list("pk", flat=True)
        return rows.filter(connection__in=list(connections))


class CampaignFilter(_OwnRows):
    """By campaign."""

    title, parameter_name, model, path = "campaign", "campaign", Campaign, "campaign"

    def _own(self, request: HttpRequest) -> QuerySet[Any]:
        return super()._own(request).only("name")


class ConnectionFilter(_OwnRows):
    """By connection."""

    title, parameter_name, model, path = "connection", "connection", Connection, "connection"

    def _own(self, request: HttpRequest) -> QuerySet[Any]:
        return super()._own(request).only("name")


class StatusFilter(LogFilter):
    """By where deliveries stand."""

    title, parameter_name = "status", "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401, ARG002
        return [(status.value, status.capitalize()) for status in DeliveryStatus]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(status=value)


class OutcomeFilter(LogFilter):
    """By what the last attempt came to, also of deliveries that wait for the next."""

    title, parameter_name = "last outcome", "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401, ARG002
        return [(outcome.value, outcome.capitalize()) for outcome in Outcome]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        try:
            settled = final_status(Outcome(value))
        except ValueError as error:
            raise IncorrectLookupParameters from error
        # Said again as statuses, because those have an index.
        statuses = {settled, DeliveryStatus.PENDING, DeliveryStatus.CANCELLED}
        return rows.filter(outcome=value, status__in=sorted(statuses))


class StatusCodeFilter(LogFilter):
    """By the status code of any of their answers."""

    title, parameter_name, kind, placeholder = "status code", "code", "number", "503"

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(_some_attempt(response_status=_number(value)))


class ErrorCodeFilter(LogFilter):
    """By what went wrong in any of their attempts."""

    title, parameter_name = "error", "error"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ANN401, ARG002
        return [(code.value, code.replace("_", " ").capitalize()) for code in ErrorCode]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(_some_attempt(error_code=value))


class SinceFilter(LogFilter):
    """By when they were accepted: at or after a moment."""

    title, parameter_name, kind = "accepted since (UTC)", "since", "datetime-local"

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        moment = _moment(value)
        first = Delivery.objects.filter(created_at__gte=moment - _SKEW).order_by("created_at")
        # The number says it too: the log is read by it.
        number = first.values_list("pk", flat=True).first()
        return rows.filter(created_at__gte=moment, pk__gte=number or 0)


class UntilFilter(LogFilter):
    """By when they were accepted: before a moment."""

    title, parameter_name, kind = "accepted before (UTC)", "until", "datetime-local"

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        moment = _moment(value)
        behind = Delivery.objects.filter(created_at__lt=moment + _SKEW).order_by("-created_at")
        number = behind.values_list("pk", flat=True).first()
        return rows.filter(created_at__lt=moment, pk__lte=number or 0)


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


def _some_attempt(**columns: object) -> Q:
    """Deliveries with such an attempt.

    Said in the way in which it is soon answered: what is rare is looked up among the attempts, what
    is common is asked of one delivery after the other until there are enough.
    """
    attempts = DeliveryAttempt.objects.order_by().filter(**columns)
    if attempts[: MAX_COUNTED + 1].count() <= MAX_COUNTED:
        return Q(pk__in=attempts.values("delivery"))
    return Q(Exists(attempts.filter(delivery=OuterRef("pk"))))


def _number(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) <= 18):
        raise IncorrectLookupParameters
    return int(value)


def _moment(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise IncorrectLookupParameters from error
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)

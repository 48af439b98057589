"""What the state machine simulates: responses of a CRM, claims of workers, and a clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from connections.core.messages import ErrorCode, Exchange, ExchangeError, Request, Response
from connections.models import Campaign, Connection, Link
from connections.operations.links import link_campaign
from connections.transport import SendLimits
from referrals.delivery.connection_sender import FinishedAttempt
from referrals.leases import Claim
from referrals.models import BreakerState, Delivery, DeliveryAttempt, Referral
from tests.referrals.factories import NOW
from tests.users import SOMEBODY

MEMBER = Response(status=200, body=b'{"id": "abc"}')
EXISTS = Response(status=400, body=b'{"title": "Member Exists"}')

RESPONSES: dict[str, Response | ErrorCode] = {
    "delivered": MEMBER,
    "duplicate": EXISTS,
    "rejected": Response(status=422),
    "throttled": Response(status=429, headers=(("Retry-After", "7"),)),
    "busy": Response(status=503),
    "gone": Response(status=410),
    "unauthorized": Response(status=401),
    "odd": Response(status=200, body=b"<html>"),
    "timeout": ErrorCode.READ_TIMEOUT,
    "lost": ErrorCode.CONNECTION_LOST,
    "refused": ErrorCode.CONNECT_REFUSED,
}


@dataclass(frozen=True)
class CRMRequest:
    """A request that the CRM received: the claim that sent it, and whether it succeeded."""

    delivery_id: int
    number: int
    is_success: bool


@dataclass
class WorkerClaim:
    """A claim of a worker, with its attempt if it was sent but not recorded yet."""

    claim: Claim
    finished: FinishedAttempt | None = None


class FakeNetwork:
    """A client that returns the given response or error, and notes whether the CRM was reached."""

    def __init__(self, response: Response | ErrorCode) -> None:
        self.response = response
        self.is_reached = False

    def send(self, request: Request, _limits: SendLimits) -> Exchange:
        self.is_reached = self.response is not ErrorCode.CONNECT_REFUSED
        now = timezone.now()
        if isinstance(self.response, Response):
            return Exchange(request=request, response=self.response, finished_at=now)
        error = ExchangeError(code=self.response, message=str(self.response))
        return Exchange(request=request, error=error, finished_at=now)


class Clock:
    """A clock that only the state machine advances."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Simulation:
    """The rows that all runs of the state machine share."""

    clock: Clock
    campaign: Campaign
    connections: list[Connection]

    def reset(self) -> None:
        """Delete what an earlier run created, and link the campaign to every connection."""
        for model in (DeliveryAttempt, Delivery, Referral, BreakerState, Link):
            model._default_manager.all().delete()
        Connection.objects.update(state="active", state_reason="")
        self.clock.now = NOW
        for connection in self.connections:
            link_campaign(self.campaign, connection=connection, by=SOMEBODY)

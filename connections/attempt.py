"""One attempt: build, send, classify. Deliveries and the Test button run this very code.

Must not know deliveries, and writes nothing: what became of the attempt is the caller's to keep.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from connections.client import Client, SendLimits
from connections.http.authorization import Ticket
from connections.http.build import RequestBuilder
from connections.http.errors import BuildError, DescriptionError
from connections.http.messages import ErrorCode, Exchange, ExchangeError, Request
from connections.http.rules import Classification, classify
from connections.http.spec import ConnectionSpec, Environment
from connections.models import Connection
from connections.outbound import send_limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What was sent and came back, what it means, and the rule that said so, in words."""

    exchange: Exchange
    meaning: Classification
    rule: str = ""


def prepare(
    connection: Connection, environment: str = Environment.PRODUCTION
) -> PreparedConnection:
    """The connection ready for attempts; one that is described wrongly never stops the others."""
    try:
        return PreparedConnection(connection.spec(environment), environment)
    except DescriptionError as error:
        return PreparedConnection(ConnectionSpec(name=connection.name), environment, str(error))


class PreparedConnection:
    """A connection made ready once for many attempts; safe to use from many threads."""

    def __init__(self, spec: ConnectionSpec, environment: str, problem: str = "") -> None:
        """A spec that can't be built from keeps its problem, which every attempt then tells."""
        self.spec = spec
        self.limits: SendLimits = send_limits(spec.limits.total_timeout)
        self._rules = tuple(str(rule) for rule in spec.reading.rules)
        self._builder: RequestBuilder | None = None
        self._problem = problem
        if not problem:
            try:
                self._builder = RequestBuilder(spec, environment)
            except DescriptionError as error:
                self._problem = str(error)

    def attempt(
        self, client: Client, attributes: Mapping[str, object], idempotency_key: str
    ) -> Attempt:
        """Build, send and classify; raises nothing that a CRM or a referral could cause."""
        exchange = self._exchange(client, attributes, idempotency_key)
        meaning = classify(self.spec.reading, exchange)
        rule = "" if meaning.rule is None else self._rules[meaning.rule]
        return Attempt(exchange=exchange, meaning=meaning, rule=rule)

    def _exchange(
        self, client: Client, attributes: Mapping[str, object], idempotency_key: str
    ) -> Exchange:
        if self._builder is None:
            return self._unbuilt(self._problem)
        ticket = Ticket(moment=datetime.now(UTC), message_id=idempotency_key)
        try:
            request = self._builder.build(
                attributes, idempotency_key=idempotency_key, ticket=ticket
            )
        except BuildError as error:
            return self._unbuilt(str(error))
        return client.send(request, self.limits)

    def _unbuilt(self, message: str) -> Exchange:
        return Exchange(
            request=Request(method=self.spec.method, url=""),
            error=ExchangeError(code=ErrorCode.NOT_BUILT, message=message),
            finished_at=datetime.now(UTC),
        )

"""One attempt: build, send, classify. Deliveries and the Test button run this very code.

Must not know deliveries, and writes nothing: what became of the attempt is the caller's to keep.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from django.core.exceptions import ImproperlyConfigured

from connections.core.errors import BuildError, DescriptionError
from connections.core.messages import ErrorCode, Exchange, ExchangeError, Request
from connections.core.request.authorization import Ticket, TokenError
from connections.core.request.builder import RequestBuilder
from connections.core.response.outcomes import Outcome
from connections.core.response.rules import Classification, classify
from connections.core.spec import ConnectionSpec, Environment
from connections.models import Connection
from connections.transport import Client, SendLimits
from connections.transport.shared import send_limits, shared_tokens
from connections.transport.tokens import TokenCache, TokenUnavailableError

_MIN_SECONDS = 0.001


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
    nothing = ConnectionSpec(name=connection.name)
    try:
        return PreparedConnection(connection.spec(environment), environment)
    except ImproperlyConfigured as error:
        # Credentials that can't be read are as good as refused: everything waits for a person.
        return PreparedConnection(nothing, environment, str(error), ErrorCode.TOKEN)
    except (DescriptionError, ValueError, TypeError, KeyError, AttributeError) as error:
        # Forms let nothing of the kind through, but a row may have been written past them.
        return PreparedConnection(nothing, environment, str(error))


class PreparedConnection:
    """A connection made ready once for many attempts; safe to use from many threads."""

    def __init__(
        self,
        spec: ConnectionSpec,
        environment: str,
        problem: str = "",
        problem_code: ErrorCode = ErrorCode.NOT_BUILT,
    ) -> None:
        """A spec that can't be built from keeps its problem, which every attempt then tells."""
        self.spec = spec
        self.limits: SendLimits = send_limits(spec.limits.total_timeout)
        self._rules = tuple(str(rule) for rule in spec.reading.rules)
        self._needs_token = spec.authorization.token_request() is not None
        self._builder: RequestBuilder | None = None
        self._problem = problem
        self._problem_code = problem_code
        if not problem:
            try:
                self._builder = RequestBuilder(spec, environment)
            except DescriptionError as error:
                self._problem = str(error)

    def attempt(
        self,
        client: Client,
        attributes: Mapping[str, object],
        idempotency_key: str,
        tokens: TokenCache | None = None,
    ) -> Attempt:
        """Build, send and classify; raises nothing that a CRM or a referral could cause.

        Where the authorization works with tokens and the CRM refuses one, another is fetched and
        the request is sent once more, in what is left of the time: this is still one attempt.
        """
        if not self._needs_token:
            return self._try(client, attributes, idempotency_key, self.limits)
        send = partial(self._try, client, attributes, idempotency_key)
        try:
            return self._try_with_token(send, tokens or shared_tokens())
        except TokenUnavailableError as error:
            return self._read(self._unsent(error.code, str(error)))
        except TokenError as error:
            return self._read(self._unsent(ErrorCode.TOKEN, str(error)))

    def _try_with_token(self, send: Callable[..., Attempt], tokens: TokenCache) -> Attempt:
        ends_at = time.monotonic() + self.limits.total
        token = tokens.token_for(self.spec.authorization, self.limits)
        attempt = send(_until(ends_at, self.limits), token)
        if attempt.meaning.outcome is Outcome.UNAUTHORIZED:
            renewed = tokens.renew(self.spec.authorization, token, _until(ends_at, self.limits))
            if renewed != token:
                attempt = send(_until(ends_at, self.limits), renewed)
        return attempt

    def _try(
        self,
        client: Client,
        attributes: Mapping[str, object],
        idempotency_key: str,
        limits: SendLimits,
        token: str = "",
    ) -> Attempt:
        if self._builder is None:
            return self._read(self._unsent(self._problem_code, self._problem))
        ticket = Ticket(token=token, moment=datetime.now(UTC), message_id=idempotency_key)
        try:
            request = self._builder.build(
                attributes, idempotency_key=idempotency_key, ticket=ticket
            )
        except BuildError as error:
            return self._read(self._unsent(ErrorCode.NOT_BUILT, str(error)))
        return self._read(client.send(request, limits))

    def _read(self, exchange: Exchange) -> Attempt:
        meaning = classify(self.spec.reading, exchange)
        rule = "" if meaning.rule is None else self._rules[meaning.rule]
        return Attempt(exchange=exchange, meaning=meaning, rule=rule)

    def _unsent(self, code: ErrorCode, message: str) -> Exchange:
        return Exchange(
            request=Request(method=self.spec.method, url=""),
            error=ExchangeError(code=code, message=message),
            finished_at=datetime.now(UTC),
        )


def _until(ends_at: float, limits: SendLimits) -> SendLimits:
    """The limits for what is left of the whole; nothing left is a timeout, which sending tells."""
    return replace(limits, total=max(ends_at - time.monotonic(), _MIN_SECONDS))

"""Make one attempt: build, authorize, send, classify; for deliveries and for connection tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.core.exceptions import ImproperlyConfigured

from connections.core.errors import BuildError, DescriptionError
from connections.core.messages import ErrorCode, Exchange, ExchangeError, Request
from connections.core.request.authorization import Flow, SigningContext, TokenError, TokenNeeded
from connections.core.request.builder import RequestBuilder, complete
from connections.core.request.spec import Environment
from connections.core.response.matching import Classification, classify
from connections.core.spec import ConnectionSpec
from connections.mapping.to_spec import build_spec
from connections.models import Connection
from connections.transport import Client, SendLimits
from connections.transport.deadline import Deadline
from connections.transport.shared import send_limits, shared_tokens
from connections.transport.tokens import TokenCache


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The exchange, its classification, and the text of the rule that matched, if any."""

    exchange: Exchange
    meaning: Classification
    rule: str = ""


def prepare(
    connection: Connection, environment: str = Environment.PRODUCTION
) -> PreparedConnection:
    """Return the connection ready for attempts; never raise for invalid rows.

    Every attempt of an invalid connection fails with its problem, so that a worker goes on with the
    other connections.
    """
    nothing = ConnectionSpec(name=connection.name)
    try:
        return PreparedConnection(build_spec(connection, environment), environment)
    except ImproperlyConfigured as error:
        # Credentials that can't be decrypted count as refused, so that the connection is held.
        return PreparedConnection(nothing, environment, str(error), ErrorCode.TOKEN)
    except (DescriptionError, ValueError, TypeError, KeyError, AttributeError) as error:
        # Forms refuse such values, but a row may have been written without a form.
        return PreparedConnection(nothing, environment, str(error))


class PreparedConnection:
    """A connection prepared once for many attempts; safe to use from many threads."""

    def __init__(
        self,
        spec: ConnectionSpec,
        environment: str,
        problem: str = "",
        problem_code: ErrorCode = ErrorCode.NOT_BUILT,
    ) -> None:
        """Compile the spec; every attempt of an invalid one reports its problem."""
        self.spec = spec
        self.limits: SendLimits = send_limits(spec.limits.total_timeout)
        self._rules = tuple(str(rule) for rule in spec.response_handling.rules)
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
        """Build, authorize, send and classify; never raise for what a CRM or a referral causes.

        An authorization may fetch tokens and send again. All of it is one attempt with one time
        limit, and the last exchange is the one that is returned.
        """
        if self._builder is None:
            return self._fail(self._problem_code, self._problem)
        context = SigningContext(moment=datetime.now(UTC), message_id=idempotency_key)
        try:
            request = self._builder.render(attributes, idempotency_key)
            return self._run(self.spec.authorization.flow(request, context), client, tokens)
        except BuildError as error:
            return self._fail(ErrorCode.NOT_BUILT, str(error))
        except TokenError as error:
            return self._fail(error.code, str(error))

    def _run(self, flow: Flow, client: Client, tokens: TokenCache | None) -> Attempt:
        """Run each step of the flow and send it the result; return the last request's attempt."""
        deadline, limits = Deadline(self.limits), self.limits
        step = next(flow)
        while True:
            if isinstance(step, TokenNeeded):
                cache = tokens or shared_tokens()
                result = cache.token_for(step.authorization, limits, refused=step.refused)
            else:
                attempt = self._classify(client.send(complete(step), limits))
                result = attempt.meaning.outcome
            try:
                step = flow.send(result)
            except StopIteration:
                return attempt
            limits = deadline.remaining_limits()

    def _classify(self, exchange: Exchange) -> Attempt:
        meaning = classify(self.spec.response_handling, exchange)
        rule = "" if meaning.rule is None else self._rules[meaning.rule]
        return Attempt(exchange=exchange, meaning=meaning, rule=rule)

    def _fail(self, code: ErrorCode, message: str) -> Attempt:
        """Return an attempt with an error in place of a response; nothing was sent."""
        exchange = Exchange(
            request=Request(method=self.spec.method, url=""),
            error=ExchangeError(code=code, message=message),
            finished_at=datetime.now(UTC),
        )
        return self._classify(exchange)

"""A connection with all its parts, saved or only typed so far; must not know forms or pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from connections.core.attributes import CATALOGUE, Attribute
from connections.core.errors import DescriptionError
from connections.core.request.authorization import authorizations
from connections.core.response.rules import Rule
from connections.core.spec import ConnectionSpec, Environment, ExpectedResponse
from connections.models import Connection, Endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftProblem:
    """Something that is wrong with a draft: the field in words, what is wrong, where it stands."""

    label: str
    message: str
    tab: str = ""
    anchor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The connection and its parts. `expected_responses` go by the number of their row."""

    connection: Connection
    endpoints: tuple[Endpoint, ...] = ()
    contacts: int = 0
    rules: tuple[Rule, ...] = ()
    expected_responses: Mapping[int, ExpectedResponse] = field(default_factory=dict)
    problems: tuple[DraftProblem, ...] = ()

    @property
    def environment(self) -> str:
        """The environment that tests reach, or else the first that is described."""
        described = [row.environment for row in self.endpoints]
        wanted = [self.connection.test_environment, *Environment]
        return next((name for name in wanted if name in described), Environment.PRODUCTION)

    @property
    def catalogue(self) -> Mapping[str, Attribute]:
        """The attributes that the account's referrals may carry."""
        has_account = self.connection.account_id is not None
        return self.connection.account.catalogue() if has_account else CATALOGUE

    def spec(self) -> ConnectionSpec:
        """The draft as one value, for its environment; raises DescriptionError."""
        return self.connection.build_spec(
            self.environment,
            endpoints=self.endpoints,
            rules=self.rules,
            expected_responses=self.expected_responses.values(),
        )

    def missing_secrets(self) -> list[str]:
        """The labels of the credentials that the authorization needs and nobody has entered."""
        kind = authorizations[self.connection.authorization_kind]
        own = [row.secrets for row in self.endpoints]
        return [
            setting.label
            for setting in kind.settings()
            if setting.is_secret
            and not self.connection.secrets.get(setting.name)
            and not (own and all(secrets.get(setting.name) for secrets in own))
        ]


def saved_draft(connection: Connection) -> Draft:
    """The connection as it is saved; rules that hold no more become problems."""
    rules, problems = [], []
    for number, row in enumerate(connection.response_rules.all(), start=1):
        try:
            rules.append(row.to_domain())
        except DescriptionError as error:
            problems.append(_rule_problem(number, error))
    return Draft(
        connection=connection,
        endpoints=tuple(connection.endpoints.all()),
        contacts=connection.technical_contacts.count(),
        rules=tuple(rules),
        expected_responses=dict(_expected(connection)),
        problems=tuple(problems),
    )


def _rule_problem(number: int, error: DescriptionError) -> DraftProblem:
    return DraftProblem(label=f"Rule {number}", message=str(error), tab="answers")


def _expected(connection: Connection) -> Iterator[tuple[int, ExpectedResponse]]:
    for number, row in enumerate(connection.expected_responses.all()):
        yield number, row.to_domain()

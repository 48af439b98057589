"""The checklist of a connection: what an advertiser must provide, and what is still missing.

The eight titles are the product's own words for setting up an API.
"""

from __future__ import annotations

from dataclasses import dataclass

from connections.core.request.spec import Environment
from connections.mapping.draft import Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One line of the checklist; `field` is the form field or formset where it can be met."""

    title: str
    is_met: bool
    note: str
    field: str


def build_checklist(draft: Draft, misread: int = 0) -> tuple[Requirement, ...]:
    """Return the eight requirements in their order.

    `misread` counts the expected responses that the rules give another outcome.
    """
    return (
        _documentation(draft),
        _contact(draft),
        _endpoints(draft),
        _method(draft),
        _authentication(draft),
        _body(draft),
        _parameters(draft),
        _responses(draft, misread),
    )


def _documentation(draft: Draft) -> Requirement:
    is_met = bool(draft.connection.documentation)
    note = "" if is_met else "Link to the page that says how to create subscribers."
    return Requirement(title="API documentation", is_met=is_met, note=note, field="documentation")


def _contact(draft: Draft) -> Requirement:
    note = "" if draft.contacts else "Name somebody who can answer questions and verify tests."
    return Requirement(
        title="Technical contact",
        is_met=draft.contacts > 0,
        note=note,
        field="technical_contacts",
    )


def _endpoints(draft: Draft) -> Requirement:
    described = {row.environment for row in draft.endpoints}
    if Environment.PRODUCTION not in described:
        note = "Enter the production endpoint."
    elif len(described) == 1:
        note = "Production only: tests would reach the live CRM."
    else:
        note = ""
    is_met = Environment.PRODUCTION in described
    return Requirement(title="Endpoints", is_met=is_met, note=note, field="endpoints")


def _method(draft: Draft) -> Requirement:
    method = draft.connection.method
    return Requirement(title="Method", is_met=bool(method), note=method, field="method")


def _authentication(draft: Draft) -> Requirement:
    missing = draft.missing_secrets()
    kind = draft.connection.get_authorization_kind_display()
    note = f"{' and '.join(missing)} missing." if missing else kind
    return Requirement(
        title="Authentication", is_met=not missing, note=note, field="authorization_kind"
    )


def _body(draft: Draft) -> Requirement:
    connection = draft.connection
    is_met = bool(connection.document.strip()) or connection.method in ("GET", "DELETE")
    note = connection.get_encoding_display() if is_met else "Paste the CRM's sample body."
    return Requirement(title="Request body encoding", is_met=is_met, note=note, field="document")


def _parameters(draft: Draft) -> Requirement:
    names = draft.connection.required_attributes
    note = ", ".join(names) if names else "Tick the attributes without which the CRM refuses."
    return Requirement(
        title="Required parameters", is_met=bool(names), note=note, field="required_attributes"
    )


def _responses(draft: Draft, misread: int) -> Requirement:
    count = len(draft.expected_responses)
    if not count:
        note = "Add the answers that the documentation lists."
    elif misread:
        note = f"{misread} of {count} would be misread."
    else:
        note = f"{count}, all read as expected."
    is_met = count > 0 and not misread
    return Requirement(
        title="Expected responses", is_met=is_met, note=note, field="expected_responses"
    )

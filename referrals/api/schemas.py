"""The request and response schemas of the intake API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import AwareDatetime, ConfigDict, Discriminator, Field, Tag

MAX_ITEMS = 1_000


class ReferralIn(Schema):
    """One referral as it is handed in."""

    model_config = ConfigDict(extra="forbid")

    external_id: str = Field(
        min_length=1,
        max_length=200,
        description="Your own name for the referral. Sent twice, it is delivered once.",
        examples=["order-1001"],
    )
    attributes: dict[str, Any] = Field(
        description="Named values from the catalogue or the account's own attributes.",
        examples=[{"email": "jo@example.com", "first_name": "Jo"}],
    )
    occurred_at: AwareDatetime | None = Field(
        default=None, description="When it happened, with a time zone."
    )


def _tag(value: Any) -> str:  # noqa: ANN401 - any JSON.
    return "many" if isinstance(value, list) else "one"


ReferralsIn = Annotated[
    Annotated[ReferralIn, Tag("one")]
    | Annotated[
        Annotated[list[ReferralIn], Field(min_length=1, max_length=MAX_ITEMS)], Tag("many")
    ],
    Discriminator(_tag),
]


class WrongField(Schema):
    """One wrong field, and what would be right."""

    field: str = Field(examples=["[3].attributes.email"])
    message: str


class ProblemDetail(Schema):
    """An error as problem details (RFC 9457)."""

    type: str = "about:blank"
    title: str = Field(description="What the status means.")
    status: int
    detail: str = Field(description="What happened, and what would help.")
    errors: list[WrongField] = Field(default=[], description="Only where fields are wrong.")


class AcceptedOut(Schema):
    """What became of one referral that was handed in."""

    id: UUID
    external_id: str
    is_new: bool = Field(description="False where this external id was known already.")


class AcceptedListOut(Schema):
    """What became of all of them, in the order in which they came."""

    referrals: list[AcceptedOut]


class DeliveryOut(Schema):
    """One delivery of a referral, and where it stands."""

    connection: str
    status: str = Field(description="pending, or what became of it.")
    outcome: str = Field(description="What the last attempt meant; empty before the first.")
    attempts: int
    next_attempt_at: datetime | None
    status_code: int | None = Field(description="Of the CRM's last answer.")
    error_code: str
    reason: str
    reference: str = Field(description="The CRM's own id for the person.")


class ReferralOut(Schema):
    """A referral and its deliveries."""

    id: UUID
    campaign: str
    external_id: str
    accepted_at: datetime
    deliveries: list[DeliveryOut]

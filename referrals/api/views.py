"""The operations of the intake API; what they do is in `intake.py` and in the models."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest
from ninja import Body, NinjaAPI, Status

from referrals.api.auth import AuthenticatedCaller, IntakeKeyBearer
from referrals.api.problems import CONTENT_TYPE, ExactParser, add_error_handlers
from referrals.api.schemas import (
    AcceptedListOut,
    AcceptedOut,
    DeliveryOut,
    ProblemDetail,
    ReferralIn,
    ReferralOut,
    ReferralsIn,
)
from referrals.intake import Item, accept_referrals
from referrals.models import Delivery, Referral

_JSON = "application/json"


class IntakeAPI(NinjaAPI):
    """The API, whose description says of errors what they are: problem documents."""

    def get_openapi_schema(self, **options: Any) -> Any:  # noqa: ANN401 - as ninja's own.
        schema = super().get_openapi_schema(**options)
        for operations in schema["paths"].values():
            for operation in operations.values():
                for status, answer in operation["responses"].items():
                    if status >= HTTPStatus.BAD_REQUEST:
                        answer["content"] = {CONTENT_TYPE: answer["content"][_JSON]}
        return schema


def error_responses(*statuses: int) -> dict[int, type[ProblemDetail]]:
    """The errors that an operation may answer, for its description."""
    return dict.fromkeys(statuses, ProblemDetail)


api = IntakeAPI(
    title="Referral intake",
    version="1",
    description="Hand in referrals of a campaign; they are delivered to its CRMs at once.",
    auth=IntakeKeyBearer(),
    parser=ExactParser(),
    docs_url="docs",
)
add_error_handlers(api)


@api.post(
    "campaigns/{slug:campaign_key}/referrals",
    response={202: AcceptedListOut, **error_responses(400, 401, 404, 409, 413, 422)},
    summary="Hand in one referral, or a list of up to 1000",
)
def create_referrals(
    request: HttpRequest,
    campaign_key: str,
    payload: ReferralsIn = Body(...),  # type: ignore[type-arg] # noqa: B008 - ninja's way.
) -> Status[AcceptedListOut]:
    """All or nothing: one wrong item refuses the whole list, and nothing is stored."""
    campaign = _caller(request).campaign
    if campaign is None:
        raise Http404(f'There is no campaign "{campaign_key}" in this account.')
    given: list[ReferralIn] = payload if isinstance(payload, list) else [payload]
    accepted = accept_referrals(campaign, [_item(one) for one in given])
    answer = AcceptedListOut(referrals=[AcceptedOut.from_orm(one) for one in accepted])
    return Status(202, answer)


@api.get(
    "referrals/{referral_id}",
    response={200: ReferralOut, **error_responses(401, 404)},
    summary="Where a referral stands",
)
def get_referral(request: HttpRequest, referral_id: UUID) -> ReferralOut:
    """A referral's deliveries and their outcomes."""
    referral = (
        Referral.objects.select_related("campaign")
        .prefetch_related("deliveries__connection", "deliveries__attempts")
        .filter(campaign__account=_caller(request).account_id, pk=referral_id)
        .first()
    )
    if referral is None:
        raise Http404(f"There is no referral {referral_id} in this account.")
    return ReferralOut(
        id=referral.id,
        campaign=referral.campaign.key,
        external_id=referral.external_id,
        accepted_at=referral.accepted_at,
        deliveries=[_delivery(delivery) for delivery in referral.deliveries.all()],
    )


def _caller(request: HttpRequest) -> AuthenticatedCaller:
    # Ninja puts there what authenticated.
    return request.auth  # type: ignore[attr-defined,no-any-return]


def _item(given: ReferralIn) -> Item:
    return Item(
        external_id=given.external_id,
        attributes=given.attributes,
        occurred_at=given.occurred_at,
    )


def _delivery(delivery: Delivery) -> DeliveryOut:
    attempts = list(delivery.attempts.all())
    last = attempts[-1] if attempts else None
    return DeliveryOut(
        connection=delivery.connection.name,
        status=delivery.status,
        outcome=delivery.outcome,
        attempts=len(attempts),
        next_attempt_at=None if delivery.claimed_at else delivery.due_at,
        status_code=last.response_status if last else None,
        error_code=last.error_code if last else "",
        reason=last.reason if last else "",
        reference=last.reference if last else "",
    )

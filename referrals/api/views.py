"""The operations of the intake API."""

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
    """The API; its OpenAPI schema describes errors as problem documents."""

    def get_openapi_schema(self, **options: Any) -> Any:  # noqa: ANN401 - ninja's signature.
        schema = super().get_openapi_schema(**options)
        for operations in schema["paths"].values():
            for operation in operations.values():
                for status, response in operation["responses"].items():
                    if status >= HTTPStatus.BAD_REQUEST:
                        response["content"] = {CONTENT_TYPE: response["content"][_JSON]}
        return schema


def error_responses(*statuses: int) -> dict[int, type[ProblemDetail]]:
    """Return the response schemas of these error statuses."""
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
    operation_id="create_referrals",
    response={202: AcceptedListOut, **error_responses(400, 401, 404, 409, 413, 422)},
    summary="Hand in one referral, or a list of up to 1000",
)
def create_referrals(
    request: HttpRequest,
    campaign_key: str,
    payload: ReferralsIn = Body(...),  # type: ignore[type-arg] # noqa: B008 - ninja's way.
) -> Status[AcceptedListOut]:
    """Accept all of the referrals or none: if one item is wrong, nothing is stored."""
    campaign = _get_caller(request).campaign
    if campaign is None:
        raise Http404(f'There is no campaign "{campaign_key}" in this account.')
    referrals: list[ReferralIn] = payload if isinstance(payload, list) else [payload]
    accepted = accept_referrals(campaign, [_build_item(referral) for referral in referrals])
    content = AcceptedListOut(referrals=[AcceptedOut.from_orm(item) for item in accepted])
    return Status(202, content)


@api.get(
    "referrals/{referral_id}",
    operation_id="get_referral",
    response={200: ReferralOut, **error_responses(401, 404)},
    summary="Where a referral stands",
)
def get_referral(request: HttpRequest, referral_id: UUID) -> ReferralOut:
    """Return a referral's deliveries and their outcomes."""
    referral = (
        Referral.objects.select_related("campaign")
        .prefetch_related("deliveries__connection", "deliveries__attempts")
        .filter(campaign__account=_get_caller(request).account_id, pk=referral_id)
        .first()
    )
    if referral is None:
        raise Http404(f"There is no referral {referral_id} in this account.")
    return ReferralOut(
        id=referral.id,
        campaign=referral.campaign.key,
        external_id=referral.external_id,
        accepted_at=referral.accepted_at,
        deliveries=[_build_delivery(delivery) for delivery in referral.deliveries.all()],
    )


def _get_caller(request: HttpRequest) -> AuthenticatedCaller:
    # Ninja sets it to what `IntakeKeyBearer.authenticate` returned.
    return request.auth  # type: ignore[attr-defined,no-any-return]


def _build_item(referral: ReferralIn) -> Item:
    return Item(
        external_id=referral.external_id,
        attributes=referral.attributes,
        occurred_at=referral.occurred_at,
    )


def _build_delivery(delivery: Delivery) -> DeliveryOut:
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

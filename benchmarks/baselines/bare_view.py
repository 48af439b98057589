"""The smallest Django view that stores a referral: it parses the body and inserts one row."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from referrals.models import Referral


@csrf_exempt
def insert(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Insert one row into the product's referral table."""
    payload = json.loads(request.body)
    referral = Referral.objects.create(
        campaign_id=campaign_id,
        external_id=payload["external_id"],
        attributes=payload["attributes"],
        accepted_at=timezone.now(),
    )
    return JsonResponse({"id": str(referral.id)}, status=201)


def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view's signature.
    """Return status 200."""
    return HttpResponse()


urlpatterns = [path("healthz", healthz), path("insert/<int:campaign_id>", insert)]

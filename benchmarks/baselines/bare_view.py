"""The least that a Django view can do with a referral: parse it and insert one row."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from referrals.models import Referral


@csrf_exempt
def insert(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """One row of the product's own table."""
    given = json.loads(request.body)
    row = Referral.objects.create(
        campaign_id=campaign_id,
        external_id=given["external_id"],
        attributes=given["attributes"],
        accepted_at=timezone.now(),
    )
    return JsonResponse({"id": str(row.id)}, status=201)


def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view's.
    """Whether it is up."""
    return HttpResponse()


urlpatterns = [path("healthz", healthz), path("insert/<int:campaign_id>", insert)]

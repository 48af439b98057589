"""The URL patterns."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from referrals.api import api
from referrals.monitoring.health_views import healthz, readyz

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    path("healthz", healthz),
    path("readyz", readyz),
]

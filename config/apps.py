"""Which admin site the project uses; knows no model."""

from django.contrib.admin.apps import AdminConfig


class ReferralsAdminConfig(AdminConfig):
    """Django's admin on the project's own site."""

    default_site = "config.admin_site.ReferralsAdminSite"

"""The app config that puts the project's admin site in place of Django's."""

from django.contrib.admin.apps import AdminConfig


class ReferralsAdminConfig(AdminConfig):
    """Django's admin on the project's own site."""

    default_site = "config.admin_site.ReferralsAdminSite"

"""The admin site: its titles, and the order in which people meet its pages; knows no model."""

from django.contrib.admin import AdminSite


class ReferralsAdminSite(AdminSite):
    """The product's face."""

    site_title = "Referrals"
    site_header = "Referrals"
    index_title = "Real-time referral delivery"
    empty_value_display = "–"

"""The root of all routes. Each app has a urls.py of its own, which is included here."""

from __future__ import annotations

from django.urls import include, path
from wagtail.admin import urls as wagtailadmin_urls

handler500 = "portal.middleware.service_unavailable.answer"

urlpatterns = [
    path("api/", include("api.urls")),
    path("account/", include("portal.account.urls")),
    path("account/second-factor/reset/", include("portal.account_admin.reset_refusal")),
    path("apply/", include("onboarding.urls")),
    path("directory/", include("portal.directory.urls")),
    path("mail/", include("portal.webmail.urls")),
    path("files/", include("portal.webmail.linked_files.urls")),
    path("organisation/", include("portal.organisation.urls")),
    path("certificates/", include("portal.certificates.urls")),
    path("emergency-access/", include("portal.emergency_access.urls")),
    path("help/", include("portal.helpdesk.urls")),
    # Wagtail's own sign-in knows no second factor: ours has to match first.
    path("admin/", include("portal.console.urls")),
    path("admin/", include(wagtailadmin_urls)),
    path("guides/", include("portal.guides.urls")),
    path("", include("portal.home.urls")),
]

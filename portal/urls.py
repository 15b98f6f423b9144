"""Every door of the site. Each app owns its own file; this one only puts them in place."""

from __future__ import annotations

from django.urls import include, path
from wagtail.admin import urls as wagtailadmin_urls

urlpatterns = [
    path("account/", include("portal.account.urls")),
    path("apply/", include("onboarding.urls")),
    path("mail/", include("portal.webmail.urls")),
    path("organisation/", include("portal.organisation.urls")),
    # Wagtail brings its own way in, which knows no second factor: ours stands before it.
    path("admin/", include("portal.console.urls")),
    path("admin/", include(wagtailadmin_urls)),
    path("", include("portal.home.urls")),
]

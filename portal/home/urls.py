"""Routes of the public pages and the health endpoints."""

from __future__ import annotations

from django.urls import path

from portal.home import health_endpoints, views

urlpatterns = [
    path("", views.home, name="home"),
    path("start/", views.start, name="start"),
    path("help/", views.help_page, name="help"),
    path("status/", views.status, name="status"),
    path("privacy/", views.privacy, name="privacy"),
    path("cookies/", views.cookies, name="cookies"),
    path("terms/", views.terms, name="terms"),
    path("server-or-webmail/", views.compare, name="compare"),
    path("attachments/", views.attachments, name="attachments"),
    path("security/", views.security, name="security"),
    path(".well-known/security.txt", views.security_txt, name="security_txt"),
    path("health/live", health_endpoints.live, name="live"),
    path("health/ready", health_endpoints.ready, name="ready"),
    path("metrics", health_endpoints.metrics, name="metrics"),
    path("accessibility/", views.accessibility, name="accessibility"),
]

"""Ours come before Wagtail's: its own ways in know no second factor."""

from __future__ import annotations

from allauth.account import views as account
from django.urls import path, re_path
from django.views.generic import RedirectView

from engine.registry.access import public, signed_in
from portal.console.views import audit, home, outbox, quarantine, queue, trace

app_name = "console"

sign_in = public(RedirectView.as_view(pattern_name="account_login", query_string=True))
own_account = signed_in(RedirectView.as_view(pattern_name="account:home"))
new_password = public(RedirectView.as_view(pattern_name="account_reset_password"))

urlpatterns = [
    path("login/", sign_in, name="login"),
    path("logout/", public(account.logout), name="logout"),
    re_path(r"^password_reset/(?:.*/)?$", new_password, name="password_reset"),
    path("account/", own_account, name="account"),
    path("", home.home, name="home"),
    path("queue/", queue.index, name="queue"),
    path("trace/", trace.index, name="trace"),
    path("quarantine/", quarantine.index, name="quarantine"),
    path("outbox/", outbox.index, name="outbox"),
    path("outbox/<str:name>/", outbox.read, name="notice"),
    path("audit/", audit.index, name="audit"),
    path("audit/verify/", audit.verify, name="verify_audit"),
]

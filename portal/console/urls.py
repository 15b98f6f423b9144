"""URLs of the console under /admin/, before Wagtail's own.

Wagtail's own sign-in and password pages know no second factor.
"""

from __future__ import annotations

from allauth.account import views as account
from django.urls import path, re_path
from django.views.generic import RedirectView

from engine.registry.permissions.view_guards import public, signed_in
from portal.console import dashboard, global_search
from portal.console.mail import (
    delivered_search,
    linked_files,
    outbox,
    quarantine,
    queue,
    rescans,
    sending_rates,
    sending_stops,
    strangers,
    trace,
    withdrawals,
)
from portal.console.operations import (
    api_keys,
    audit_trail,
    failed_jobs,
    health,
    mail_keys,
    service_notices,
    signing_keys,
    tls_reports,
)

app_name = "console"

sign_in = public(RedirectView.as_view(pattern_name="account_login", query_string=True))
own_account = signed_in(RedirectView.as_view(pattern_name="account:home"))
new_password = public(RedirectView.as_view(pattern_name="account_reset_password"))

urlpatterns = [
    path("login/", sign_in, name="login"),
    path("logout/", public(account.logout), name="logout"),
    re_path(r"^password_reset/(?:.*/)?$", new_password, name="password_reset"),
    path("account/", own_account, name="account"),
    path("", dashboard.home, name="home"),
    path("search/", global_search.index, name="search"),
    path("queue/", queue.index, name="queue"),
    path("queue/destinations/", queue.destinations, name="destinations"),
    path("queue/do/", queue.act, name="queue_do"),
    path("trace/", trace.index, name="trace"),
    path("trace/strangers/", strangers.index, name="strangers"),
    path("trace/<str:reference>/", trace.show, name="story"),
    path("trace/<str:reference>/links/stop/", linked_files.stop, name="links_stop"),
    path("sending-rates/", sending_rates.index, name="rates"),
    path("sending-rates/give/", sending_rates.give, name="rates_give"),
    path("sending-rates/<int:pk>/end/", sending_rates.end, name="rates_end"),
    path("sending-stops/", sending_stops.index, name="stops"),
    path("sending-stops/add/", sending_stops.stop_named, name="stop_named"),
    path("sending-stops/<int:pk>/lift/", sending_stops.lift, name="stop_lift"),
    path("sending-stops/<slug:kind>/<int:pk>/", sending_stops.stop, name="stop"),
    path("delivered/", delivered_search.index, name="delivered"),
    path("withdrawals/", withdrawals.index, name="withdrawals"),
    path("withdrawals/ask/", withdrawals.ask, name="withdraw"),
    path("withdrawals/<int:pk>/", withdrawals.show, name="withdrawal"),
    path("withdrawals/<int:pk>/agree/", withdrawals.agree, name="withdrawal_agree"),
    path("withdrawals/<int:pk>/refuse/", withdrawals.refuse, name="withdrawal_refuse"),
    path("withdrawals/<int:pk>/back/", withdrawals.put_back, name="withdrawal_back"),
    path("rescans/", rescans.index, name="rescans"),
    path("rescans/start/", rescans.start, name="rescan_start"),
    path("rescans/<int:pk>/", rescans.show, name="rescan"),
    path("rescans/<int:pk>/back/", rescans.put_back, name="rescan_back"),
    path("rescans/<int:pk>/stop/", rescans.stop, name="rescan_stop"),
    path("quarantine/", quarantine.index, name="quarantine"),
    path("quarantine/<int:pk>/", quarantine.show, name="quarantined"),
    path("quarantine/<int:pk>/delete/", quarantine.delete, name="quarantine_delete"),
    path("outbox/", outbox.index, name="outbox"),
    path("outbox/<str:name>/", outbox.show, name="notice"),
    path("notices/", service_notices.index, name="notices"),
    path("notices/add/", service_notices.add, name="notice_add"),
    path("notices/<int:pk>/end/", service_notices.end, name="notice_end"),
    path("mail-keys/", mail_keys.index, name="mail_keys"),
    path("mail-keys/check/", mail_keys.check, name="mail_keys_check"),
    path("mail-keys/rotate/", mail_keys.rotate, name="mail_keys_rotate"),
    path(
        "mail-keys/replace-lost/",
        mail_keys.replace_lost,
        name="mail_keys_replace_lost",
    ),
    path("tls-reports/", tls_reports.index, name="tls_reports"),
    path("tls-reports/check/", tls_reports.check, name="tls_reports_check"),
    path("tls-reports/<int:pk>/", tls_reports.show, name="tls_report"),
    path("signing-keys/", signing_keys.index, name="signing_keys"),
    path("signing-keys/replace/", signing_keys.replace, name="signing_key_replace"),
    path("api-keys/", api_keys.index, name="api_keys"),
    path("api-keys/add/", api_keys.add, name="api_key_add"),
    path("api-keys/<int:pk>/revoke/", api_keys.revoke, name="api_key_revoke"),
    path("audit/", audit_trail.index, name="audit"),
    path("audit/entries.csv", audit_trail.as_csv, name="audit_csv"),
    path("health/", health.index, name="health"),
    path("jobs/", failed_jobs.index, name="jobs"),
    path("jobs/<int:pk>/", failed_jobs.show, name="job"),
    path("jobs/<int:pk>/again/", failed_jobs.run_again, name="job_again"),
    path("jobs/<int:pk>/dismiss/", failed_jobs.dismiss, name="job_dismiss"),
    path("audit/verify/", audit_trail.verify, name="verify_audit"),
]

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from portal.organisation import (
    api_access,
    classification,
    history,
    overview,
    search_index,
    second_factor_rule,
    web_push,
)
from portal.organisation.connection import (
    connection_test,
    connections,
    domains,
    shared_links,
)
from portal.organisation.mail import figures, lists, mailboxes, retention, trace
from portal.organisation.people import (
    approvals,
    people_list,
    person,
    sessions,
    sign_in,
)
from portal.organisation.people_file import views as people_file

one_person = [
    path("", person.index, name="person"),
    path("edit/", person.edit, name="person_edit"),
    path("suspend/", person.suspend, name="person_suspend"),
    path("resume/", person.resume, name="person_resume"),
    path("sign-in/", sign_in.give, name="person_sign_in"),
    path("link/", sign_in.send_link, name="person_link"),
    path("second-factor/", sign_in.reset_second_factor, name="person_second_factor"),
    path("role/", person.role, name="person_role"),
    path("address/", person.change_address, name="person_address"),
    path("letter/", sign_in.letter, name="person_letter"),
    path("sessions/", sessions.index, name="person_sessions"),
    path("sessions/everywhere/", sessions.sign_out_everywhere, name="person_sign_out"),
    path(
        "sessions/<str:session_id>/end/",
        sessions.end_session,
        name="person_session_end",
    ),
    path(
        "app-passwords/<int:app_password_id>/end/",
        sessions.end_app_password,
        name="person_app_password_end",
    ),
]
one_mailbox = [
    path("", mailboxes.mailbox, name="mailbox"),
    path("edit/", mailboxes.edit, name="mailbox_edit"),
    path("switch/", mailboxes.switch, name="mailbox_switch"),
    path("<int:person_id>/", mailboxes.rights, name="mailbox_rights"),
    path("<int:person_id>/remove/", mailboxes.revoke, name="mailbox_revoke"),
]
one_list = [
    path("", lists.members, name="list"),
    path("edit/", lists.edit, name="list_edit"),
    path("switch/", lists.switch, name="list_switch"),
    path("posters/", lists.posters, name="list_posters"),
    path("remove/", lists.remove, name="list_remove"),
]
one_connection = [
    path("", connections.show, name="connection"),
    path("settings/<slug:part>/", connections.edit, name="connection_edit"),
    path("set-up/<slug:key>/", connections.guide, name="connection_guide"),
    path(
        "set-up/<slug:key>/file/", connections.guide_file, name="connection_guide_file"
    ),
    path("password/", connections.new_password, name="connection_password"),
    path(
        "password/<int:credential_id>/end/",
        connections.end_password,
        name="connection_password_end",
    ),
    path("tenant/", connections.tenant_secret, name="connection_tenant"),
    path("share/", shared_links.share, name="connection_share"),
    path("share/<int:link_id>/end/", shared_links.end, name="connection_link_end"),
    path("test/", connection_test.start, name="rehearsals"),
    path("test/<int:rehearsal_id>/", connection_test.show, name="rehearsal"),
]
one_domain = [
    path("", domains.domain, name="domain"),
    path("check/", domains.check, name="domain_check"),
    path("remove/", domains.remove, name="domain_remove"),
]
other_systems = [
    path("", api_access.index, name="api"),
    path("keys/add/", api_access.add_key, name="api_key_add"),
    path("keys/<int:key_id>/revoke/", api_access.revoke_key, name="api_key_revoke"),
    path("webhooks/add/", api_access.add_endpoint, name="api_endpoint_add"),
    path(
        "webhooks/<int:endpoint_id>/secret/",
        api_access.rotate_secret,
        name="api_endpoint_rotate",
    ),
    path(
        "webhooks/<int:endpoint_id>/remove/",
        api_access.remove_endpoint,
        name="api_endpoint_remove",
    ),
]
one_organisation: list[URLPattern | URLResolver] = [
    path("", overview.overview, name="show"),
    path("people/", people_list.index, name="people"),
    path("people/add/", people_list.add, name="person_add"),
    path("people/file/", people_file.upload, name="people_file_upload"),
    path("people/file/template.csv", people_file.template, name="people_template"),
    path("people/file/<int:people_file_id>/", people_file.index, name="people_file"),
    path(
        "people/file/<int:people_file_id>/start/",
        people_file.start,
        name="people_file_start",
    ),
    path("people/recovery/", approvals.index, name="recovery"),
    path(
        "people/recovery/<slug:kind>/<int:pk>/<slug:answer>/",
        approvals.answer,
        name="recovery_settle",
    ),
    path("people/<int:person_id>/", include(one_person)),
    path("mailboxes/", mailboxes.index, name="mailboxes"),
    path("mailboxes/add/", mailboxes.add, name="mailbox_add"),
    path("mailboxes/<int:mailbox_id>/", include(one_mailbox)),
    path("lists/", lists.index, name="lists"),
    path("lists/add/", lists.add, name="list_add"),
    path("lists/<int:list_id>/", include(one_list)),
    path("addresses/", overview.addresses, name="addresses"),
    path("addresses/add/", domains.add, name="domain_add"),
    path("addresses/<int:domain_id>/", include(one_domain)),
    path("connection/", connections.index, name="connections"),
    path("connection/<int:connection_id>/", include(one_connection)),
    path("trace/", trace.index, name="trace"),
    path("trace/figures/", figures.index, name="trace_figures"),
    path("trace/<str:reference>/", trace.message, name="trace_message"),
    path(
        "trace/<str:reference>/certificate/",
        trace.certificate,
        name="trace_certificate",
    ),
    path("api/", include(other_systems)),
    path("settings/", overview.settings, name="settings"),
    path("security/", second_factor_rule.index, name="security"),
    path("search/", search_index.index, name="search_index"),
    path("notifications/", web_push.index, name="web_push"),
    path("classification/", classification.index, name="classification"),
    path("deleted-mail/", retention.index, name="retention"),
    path("history/", history.index, name="history"),
    path("history/history.csv", history.download, name="history_file"),
]

app_name = "organisation"
urlpatterns = [
    path("", overview.home, name="home"),
    path("shared/<str:token>/", shared_links.shared, name="shared"),
    path(
        "shared/<str:token>/<slug:key>/", shared_links.shared_guide, name="shared_guide"
    ),
    path(
        "shared/<str:token>/<slug:key>/file/",
        shared_links.shared_guide_file,
        name="shared_guide_file",
    ),
    path("<int:organisation_id>/", include(one_organisation)),
]

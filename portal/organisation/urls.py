from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from portal.organisation.views import (
    api,
    connection,
    domains,
    history,
    home,
    lists,
    mailboxes,
    people,
    people_file,
    person,
    recovery,
    rehearsal,
    retention,
    security,
    sessions,
    shared,
    signing_in,
    trace,
)

one_person = [
    path("", person.index, name="person"),
    path("edit/", person.edit, name="person_edit"),
    path("suspend/", person.suspend, name="person_suspend"),
    path("resume/", person.resume, name="person_resume"),
    path("sign-in/", signing_in.give, name="person_sign_in"),
    path("link/", signing_in.send_link, name="person_link"),
    path("second-factor/", signing_in.reset_second_factor, name="person_second_factor"),
    path("role/", person.role, name="person_role"),
    path("address/", recovery.address, name="person_address"),
    path("letter/", signing_in.letter, name="person_letter"),
    path("sessions/", sessions.index, name="person_sessions"),
    path("sessions/everywhere/", sessions.everywhere, name="person_sign_out"),
    path("sessions/<str:session_id>/end/", sessions.end, name="person_session_end"),
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
    path("", connection.connection, name="connection"),
    path("settings/<slug:part>/", connection.edit, name="connection_edit"),
    path("set-up/<slug:key>/", connection.guide, name="connection_guide"),
    path(
        "set-up/<slug:key>/file/", connection.guide_file, name="connection_guide_file"
    ),
    path("password/", connection.new_password, name="connection_password"),
    path(
        "password/<int:credential_id>/end/",
        connection.end_password,
        name="connection_password_end",
    ),
    path("tenant/", connection.tenant_secret, name="connection_tenant"),
    path("share/", shared.share, name="connection_share"),
    path("share/<int:link_id>/end/", shared.end, name="connection_link_end"),
    path("test/", rehearsal.begin, name="rehearsals"),
    path("test/<int:rehearsal_id>/", rehearsal.rehearsal, name="rehearsal"),
]
one_domain = [
    path("", domains.domain, name="domain"),
    path("check/", domains.check, name="domain_check"),
    path("remove/", domains.remove, name="domain_remove"),
]
other_systems = [
    path("", api.index, name="api"),
    path("keys/add/", api.add_key, name="api_key_add"),
    path("keys/<int:key_id>/revoke/", api.revoke_key, name="api_key_revoke"),
    path("webhooks/add/", api.add_endpoint, name="api_endpoint_add"),
    path("webhooks/<int:endpoint_id>/secret/", api.rotate, name="api_endpoint_rotate"),
    path(
        "webhooks/<int:endpoint_id>/remove/",
        api.remove_endpoint,
        name="api_endpoint_remove",
    ),
]
one_organisation: list[URLPattern | URLResolver] = [
    path("", home.overview, name="show"),
    path("people/", people.index, name="people"),
    path("people/add/", people.add, name="person_add"),
    path("people/file/", people_file.upload, name="people_file_upload"),
    path("people/file/template.csv", people_file.template, name="people_template"),
    path("people/file/<int:people_file_id>/", people_file.index, name="people_file"),
    path(
        "people/file/<int:people_file_id>/start/",
        people_file.start,
        name="people_file_start",
    ),
    path("people/recovery/", recovery.index, name="recovery"),
    path(
        "people/recovery/<slug:kind>/<int:pk>/<slug:act>/",
        recovery.settle,
        name="recovery_settle",
    ),
    path("people/<int:person_id>/", include(one_person)),
    path("mailboxes/", mailboxes.index, name="mailboxes"),
    path("mailboxes/add/", mailboxes.add, name="mailbox_add"),
    path("mailboxes/<int:mailbox_id>/", include(one_mailbox)),
    path("lists/", lists.index, name="lists"),
    path("lists/add/", lists.add, name="list_add"),
    path("lists/<int:list_id>/", include(one_list)),
    path("addresses/", home.addresses, name="addresses"),
    path("addresses/add/", domains.add, name="domain_add"),
    path("addresses/<int:domain_id>/", include(one_domain)),
    path("connection/", connection.index, name="connections"),
    path("connection/<int:connection_id>/", include(one_connection)),
    path("trace/", trace.index, name="trace"),
    path("trace/<str:reference>/", trace.message, name="trace_message"),
    path("api/", include(other_systems)),
    path("settings/", home.settings, name="settings"),
    path("security/", security.index, name="security"),
    path("deleted-mail/", retention.index, name="retention"),
    path("history/", history.index, name="history"),
    path("history/history.csv", history.download, name="history_file"),
]

app_name = "organisation"
urlpatterns = [
    path("", home.home, name="home"),
    path("shared/<str:token>/", shared.shared, name="shared"),
    path("shared/<str:token>/<slug:key>/", shared.shared_guide, name="shared_guide"),
    path(
        "shared/<str:token>/<slug:key>/file/",
        shared.shared_guide_file,
        name="shared_guide_file",
    ),
    path("<int:organisation_id>/", include(one_organisation)),
]

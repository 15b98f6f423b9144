from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from portal.console.members.views import (
    connections,
    credentials,
    domains,
    lists,
    mailboxes,
    organisation,
    organisations,
    people,
    person,
    person_acts,
    person_sessions,
    recovery,
    related,
)

app_name = "members"

one_connection = [
    path("", connections.show, name="connection"),
    path("edit/", connections.edit, name="connection_edit"),
    path("switch/", connections.switch, name="connection_switch"),
    path("passwords/add/", credentials.add, name="credential_add"),
    path("passwords/<int:credential_id>/end/", credentials.end, name="credential_end"),
]
one_organisation: list[URLPattern | URLResolver] = [
    path("", organisation.index, name="organisation"),
    path("edit/", organisation.edit, name="organisation_edit"),
    path("activate/", organisation.activate, name="organisation_activate"),
    path("suspend/", organisation.suspend, name="organisation_suspend"),
    path("resume/", organisation.resume, name="organisation_resume"),
    path("close/", organisation.close, name="organisation_close"),
    path("people/", related.people, name="organisation_people"),
    path("tickets/", related.tickets, name="organisation_tickets"),
    path("applications/", related.applications, name="organisation_applications"),
    path("trace/", related.trace, name="organisation_trace"),
    path("audit/", related.audit, name="organisation_audit"),
    path("domains/", domains.index, name="domains"),
    path("domains/add/", domains.add, name="domain_add"),
    path("domains/<int:domain_id>/", domains.show, name="domain"),
    path("domains/<int:domain_id>/verify/", domains.verify, name="domain_verify"),
    path("domains/<int:domain_id>/remove/", domains.remove, name="domain_remove"),
    path("connections/", connections.index, name="connections"),
    path("connections/add/", connections.add, name="connection_add"),
    path("connections/<int:connection_id>/", include(one_connection)),
    path("mailboxes/", mailboxes.index, name="mailboxes"),
    path("mailboxes/<int:mailbox_id>/", mailboxes.show, name="mailbox"),
    path("mailboxes/<int:mailbox_id>/edit/", mailboxes.edit, name="mailbox_edit"),
    path("mailboxes/<int:mailbox_id>/switch/", mailboxes.switch, name="mailbox_switch"),
    path("lists/", lists.index, name="lists"),
    path("lists/<int:list_id>/", lists.show, name="list"),
    path("lists/<int:list_id>/switch/", lists.switch, name="list_switch"),
]
one_person = [
    path("", person.show, name="person"),
    path("edit/", person_acts.edit, name="person_edit"),
    path("suspend/", person_acts.suspend, name="person_suspend"),
    path("resume/", person_acts.resume, name="person_resume"),
    path("link/", person_acts.send_link, name="person_link"),
    path("second-factor/", recovery.reset_second_factor, name="person_factor"),
    path("address/", recovery.address, name="person_address"),
    path("sessions/", person_sessions.show, name="person_sessions"),
    path("sessions/end/", person_sessions.everywhere, name="person_sign_out"),
    path("sessions/<str:session_id>/end/", person_sessions.end, name="session_end"),
    path(
        "app-passwords/<int:key>/end/",
        person_sessions.end_app_password,
        name="app_password_end",
    ),
    path("roles/give/", person_acts.give_role, name="staff_role_give"),
    path("roles/<int:key>/take/", person_acts.take_role, name="staff_role_take"),
]
urlpatterns = [
    path("organisations/", organisations.index, name="organisations"),
    path("organisations/add/", organisations.add, name="organisation_add"),
    path("organisations/<int:pk>/", include(one_organisation)),
    path("people/", people.index, name="people"),
    path("people/staff/add/", people.add_staff, name="staff_add"),
    path("people/recovery/", recovery.index, name="recovery"),
    path(
        "people/recovery/<slug:kind>/<int:pk>/<slug:answer>/",
        recovery.settle,
        name="recovery_settle",
    ),
    path("people/<int:pk>/", include(one_person)),
]

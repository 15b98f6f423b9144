"""URLs of the console's pages about organisations and people, under /admin/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from portal.console.organisations import (
    connections,
    credentials,
    domains,
    lists,
    mailboxes,
    organisation,
    organisation_list,
    related_tabs,
)
from portal.console.people import (
    account_actions,
    approvals,
    people_list,
    person,
    sessions,
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
    path("people/", related_tabs.people, name="organisation_people"),
    path("tickets/", related_tabs.tickets, name="organisation_tickets"),
    path("applications/", related_tabs.applications, name="organisation_applications"),
    path("trace/", related_tabs.trace, name="organisation_trace"),
    path("audit/", related_tabs.audit, name="organisation_audit"),
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
    path("edit/", account_actions.edit, name="person_edit"),
    path("suspend/", account_actions.suspend, name="person_suspend"),
    path("resume/", account_actions.resume, name="person_resume"),
    path("link/", account_actions.send_link, name="person_link"),
    path("second-factor/", account_actions.reset_second_factor, name="person_factor"),
    path("address/", account_actions.change_address, name="person_address"),
    path("sessions/", sessions.show, name="person_sessions"),
    path("sessions/end/", sessions.sign_out_everywhere, name="person_sign_out"),
    path("sessions/<str:session_id>/end/", sessions.end_session, name="session_end"),
    path(
        "app-passwords/<int:key>/end/",
        sessions.end_app_password,
        name="app_password_end",
    ),
    path("roles/give/", account_actions.give_role, name="staff_role_give"),
    path("roles/<int:key>/take/", account_actions.take_role, name="staff_role_take"),
]

urlpatterns = [
    path("organisations/", organisation_list.index, name="organisations"),
    path("organisations/add/", organisation_list.add, name="organisation_add"),
    path("organisations/<int:pk>/", include(one_organisation)),
    path("people/", people_list.index, name="people"),
    path("people/staff/add/", people_list.add_staff, name="staff_add"),
    path("people/recovery/", approvals.index, name="recovery"),
    path(
        "people/recovery/<slug:kind>/<int:pk>/<slug:answer>/",
        approvals.answer,
        name="recovery_settle",
    ),
    path("people/<int:pk>/", include(one_person)),
]

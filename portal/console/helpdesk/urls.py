from __future__ import annotations

from django.urls import path

from portal.console.helpdesk import (
    canned_replies,
    phone_calls,
    reports,
    ticket,
    ticket_actions,
    ticket_bulk,
    ticket_list,
)

app_name = "desk"
urlpatterns = [
    path("", ticket_list.index, name="index"),
    path("bulk/", ticket_bulk.bulk, name="bulk"),
    path("mail/", ticket_list.mail, name="mail"),
    path("call/", phone_calls.new, name="call"),
    path("reports/", reports.index, name="reports"),
    path("reports/weeks.csv", reports.as_csv, name="csv"),
    path("canned/", canned_replies.index, name="canned"),
    path("canned/new/", canned_replies.edit, name="canned_new"),
    path("canned/<int:pk>/", canned_replies.edit, name="canned_edit"),
    path("canned/<int:pk>/remove/", canned_replies.remove, name="canned_remove"),
    path("<int:pk>/", ticket.show, name="ticket"),
    path("<int:pk>/files/<int:file_id>/", ticket.file, name="file"),
    path("<int:pk>/answer/", ticket_actions.answer, name="answer"),
    path("<int:pk>/note/", ticket_actions.note, name="note"),
    path("<int:pk>/change/", ticket_actions.change, name="change"),
    path("<int:pk>/take/", ticket_actions.take, name="take"),
    path("<int:pk>/merge/", ticket_actions.merge, name="merge"),
    path("<int:pk>/writing/", ticket_actions.writing, name="writing"),
]

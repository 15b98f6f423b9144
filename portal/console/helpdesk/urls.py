from __future__ import annotations

from django.urls import path

from portal.console.helpdesk.views import acts, call, canned, queue, reports, ticket

app_name = "desk"
urlpatterns = [
    path("", queue.index, name="index"),
    path("mail/", queue.mail, name="mail"),
    path("call/", call.new, name="call"),
    path("reports/", reports.index, name="reports"),
    path("reports/weeks.csv", reports.as_csv, name="csv"),
    path("canned/", canned.index, name="canned"),
    path("canned/new/", canned.edit, name="canned_new"),
    path("canned/<int:pk>/", canned.edit, name="canned_edit"),
    path("canned/<int:pk>/remove/", canned.remove, name="canned_remove"),
    path("<int:pk>/", ticket.show, name="ticket"),
    path("<int:pk>/files/<int:file_id>/", ticket.file, name="file"),
    path("<int:pk>/answer/", acts.answer, name="answer"),
    path("<int:pk>/note/", acts.note, name="note"),
    path("<int:pk>/change/", acts.change, name="change"),
    path("<int:pk>/take/", acts.take, name="take"),
    path("<int:pk>/merge/", acts.merge, name="merge"),
    path("<int:pk>/writing/", acts.writing, name="writing"),
]

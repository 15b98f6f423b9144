from __future__ import annotations

from django.urls import path

from portal.webmail.organising import (
    all_inboxes,
    archive,
    bulk_actions,
    group_work,
    labels,
    reminders,
    saved_searches,
)

_MAILBOX = "mailboxes/<int:mailbox_id>/"
_MESSAGE = "messages/<int:message_id>/"

urlpatterns = [
    path("all/", all_inboxes.show, name="all_inboxes"),
    path("all/act/", all_inboxes.act, name="all_inboxes_act"),
    path(f"{_MESSAGE}assign/", group_work.assign, name="assign"),
    path(f"{_MESSAGE}notes/", group_work.add_note, name="add_note"),
    path(
        f"{_MESSAGE}notes/<int:note_id>/delete/",
        group_work.delete_note,
        name="delete_note",
    ),
    path(f"{_MESSAGE}labels/", labels.set_labels, name="message_labels"),
    path(f"{_MESSAGE}follow-up/", reminders.follow_up, name="follow_up"),
    path(f"{_MAILBOX}organise/", bulk_actions.act, name="organise"),
    path(f"{_MAILBOX}labels/", labels.index, name="labels"),
    path(f"{_MAILBOX}labels/<int:label_id>/", labels.show, name="label"),
    path(f"{_MAILBOX}labels/<int:label_id>/edit/", labels.edit, name="label_edit"),
    path(f"{_MAILBOX}searches/", saved_searches.index, name="saved_searches"),
    path(
        f"{_MAILBOX}searches/<int:search_id>/delete/",
        saved_searches.delete,
        name="delete_saved_search",
    ),
    path(
        f"{_MAILBOX}reminders/<int:reminder_id>/end/",
        reminders.end,
        name="end_reminder",
    ),
    path("folders/<int:folder_id>/archive/", archive.older, name="archive_older"),
]

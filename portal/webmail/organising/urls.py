from __future__ import annotations

from django.urls import path

from portal.webmail.organising import bulk_actions, group_work

urlpatterns = [
    path("messages/<int:message_id>/assign/", group_work.assign, name="assign"),
    path("messages/<int:message_id>/notes/", group_work.add_note, name="add_note"),
    path(
        "messages/<int:message_id>/notes/<int:note_id>/delete/",
        group_work.delete_note,
        name="delete_note",
    ),
    path("mailboxes/<int:mailbox_id>/organise/", bulk_actions.act, name="organise"),
]

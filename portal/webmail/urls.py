from __future__ import annotations

from django.urls import path

from portal.webmail.views import act, folder, read, reply, write

app_name = "webmail"

urlpatterns = [
    path("", folder.folder, name="folder"),
    path("folders/<int:folder_id>/", folder.folder, name="folder"),
    path("folders/<int:folder_id>/act/", act.act, name="act"),
    path("mailboxes/<int:mailbox_id>/", folder.mailbox, name="mailbox"),
    path("messages/<int:message_id>/", read.read, name="read"),
    path("messages/<int:message_id>/content/", read.content, name="content"),
    path("messages/<int:message_id>/original/", read.original, name="original"),
    path("messages/<int:message_id>/parts/<str:path>/", read.part, name="part"),
    path("messages/<int:message_id>/reply/", reply.reply, name="reply"),
    path("messages/<int:message_id>/reply-all/", reply.reply_all, name="reply_all"),
    path("messages/<int:message_id>/forward/", reply.forward, name="forward"),
    path("write/", write.compose, name="compose"),
    path("mailboxes/<int:mailbox_id>/write/", write.compose, name="compose"),
    path("mailboxes/<int:mailbox_id>/write/<uuid:token>/", write.draft, name="draft"),
]
